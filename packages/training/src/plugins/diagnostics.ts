import { type LmdInitialization, lmdLogMedians, lmdWeightNames } from '@lmd/core';
import { refuseUnknownOptions } from '../options.js';
import type { Plugin, TrainingRun } from '../plugin.js';
import { type LogNormality, logNormality } from './log-normality.js';

export interface DiagnosticsOptions {
  /** Bins of the histogram. Default 60. */
  readonly bins?: number;
  /** Takes each summary, beside the `report` event. */
  readonly onSummary?: (summary: LogNormality, step: number) => void;
  /**
   * LMD's own `initialization`, which matters with `priorMedian: 'initialWeights'` and a packed state alone. Default
   * `floor`.
   */
  readonly initialization?: LmdInitialization;
}

/**
 * Medians of the two halves of each weight, as their logarithms: of LMD, and of its parents EG± and the multiplicative
 * group.
 */
const logMedians = /\/log(Plus|Minus)$/;

/**
 * After each evaluation on validation data, and at the end of the run, summarises the logarithms of LMD's medians m⁺
 * and m⁻ over all weights: under its stationary law they are normal, so m is log-normal. Silent for optimizers without
 * such a state.
 */
export function diagnostics(options: DiagnosticsOptions = {}): Plugin {
  refuseUnknownOptions('diagnostics', options, ['bins', 'onSummary', 'initialization']);
  const { bins = 60, onSummary } = options;
  return {
    name: 'diagnostics',
    async evaluate({ split, step }, run) {
      if (split !== 'validation') return;
      const values = await readLogMedians(run, options.initialization);
      if (values.length === 0) return;
      const summary = logNormality(values, bins);
      onSummary?.(summary, step);
      await run.announce({ type: 'report', step, plugin: 'diagnostics', data: { logMedians: { ...summary } } });
    },
  };
}

async function readLogMedians(
  { ops, state }: TrainingRun,
  initialization?: LmdInitialization,
): Promise<Float32Array[]> {
  // By name: a state that was read from a checkpoint has another order, and sums must not depend on it.
  const plain = Object.entries(state.tensors)
    .filter(([name]) => logMedians.test(name))
    .sort(([a], [b]) => (a < b ? -1 : 1));
  const values = await Promise.all(plain.map(async ([, tensor]) => (await ops.read(tensor)) as Float32Array));
  // Those that are stored as codes are decoded one weight after another.
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
