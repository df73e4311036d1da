import {
  type LmdInitialization,
  lmdLogMedians,
  lmdOptionTable,
  lmdWeightNames,
  type OptionsOf,
  type OptionTable,
  option,
  resolveOptions,
} from '@lmd/core';
import type { Plugin, TrainingRun } from '../plugin.js';
import { pluginMarker } from '../plugin-marker.js';
import { type LogNormality, logNormality } from './log-normality.js';

/** The options of `diagnostics`, declared once. */
export const diagnosticsOptionTable = {
  /** Number of bins of the histogram. A whole number, at least 1; default 60. */
  bins: option.integer({ atLeast: 1, default: 60, describe: 'Number of bins of the histogram.' }),
  /** Called with each summary, in addition to the `report` event. A function. */
  onSummary: option.callback<(summary: LogNormality, step: number) => void>({
    describe: 'Called with each summary, in addition to the `report` event.',
  }),
  /**
   * `initialization` of the optimizer `lmd`; it only matters with `priorMedian` `initialWeights` and a packed state.
   * `floor` or `hypentropy`; default `floor`.
   */
  initialization: {
    ...lmdOptionTable.initialization,
    describe:
      '`initialization` of the optimizer `lmd`; it only matters with `priorMedian` `initialWeights` and a packed ' +
      'state.',
  },
} as const satisfies OptionTable;

export interface DiagnosticsOptions extends OptionsOf<typeof diagnosticsOptionTable> {}

/**
 * Logarithms of the medians of the two halves of each weight: of LMD, and of the related EG± and multiplicative group.
 */
const logMedians = /\/log(Plus|Minus)$/;

/**
 * After each validation, and at the end of the run, summarizes the logarithms of LMD's medians m⁺ and m⁻ over all
 * weights. In its stationary distribution they are normal, so m is log-normal. Does nothing for optimizers without such
 * a state.
 */
export function diagnostics(options: DiagnosticsOptions = {}): Plugin {
  const { bins, onSummary, initialization } = resolveOptions('diagnostics', diagnosticsOptionTable, options);
  return {
    ...pluginMarker,
    name: 'diagnostics',
    async evaluate({ split, step }, run) {
      if (split !== 'validation') return;
      const values = await readLogMedians(run, initialization);
      if (values.length === 0) return;
      const summary = logNormality(values, bins);
      onSummary?.(summary, step);
      await run.announce({ type: 'report', step, plugin: 'diagnostics', data: { logMedians: { ...summary } } });
    },
  };
}

async function readLogMedians({ ops, state }: TrainingRun, initialization: LmdInitialization): Promise<Float32Array[]> {
  // Sorted by name: a state from a checkpoint has another order, and sums must not depend on it.
  const plain = Object.entries(state.tensors)
    .filter(([name]) => logMedians.test(name))
    .sort(([a], [b]) => (a < b ? -1 : 1));
  const values = await Promise.all(plain.map(async ([, tensor]) => (await ops.read(tensor)) as Float32Array));
  // Medians that are stored as codes are decoded one weight at a time.
  for (const name of lmdWeightNames(state).sort()) {
    if (state.tensors[`${name}/logPlus`] !== undefined) continue;
    const decoded = lmdLogMedians(ops, state, name, initialization);
    try {
      for (const half of [decoded.logPlus, decoded.logMinus]) values.push((await ops.read(half)) as Float32Array);
    } finally {
      ops.dispose({ ...decoded });
    }
  }
  return values;
}
