import { lmdOptionTable } from '@lmd/core';

/** What makes tokens of a text. */
export const tokenizerNames = ['gpt2', 'characters'] as const;

/** Which weights of a run are evaluated. `average`: the moving average of a run with `weightAveraging`. */
export const runWeightsKinds = [...lmdOptionTable.evaluation.choices, 'average'] as const;
export type RunWeightsKind = (typeof runWeightsKinds)[number];
