import { refuseUnknownOptions } from '../options.js';
import type { Plugin } from '../plugin.js';
import { type LogNormality, logNormality } from './log-normality.js';

export interface DiagnosticsOptions {
  /** Bins of the histogram. Default 60. */
  readonly bins?: number;
  /** Takes each summary, beside the `report` event. */
  readonly onSummary?: (summary: LogNormality, step: number) => void;
}

/** Medians of LMD's two halves of each weight, as their logarithms. */
const logMedians = /\/log(Plus|Minus)$/;

/**
 * After each evaluation on validation data, and at the end of the run, summarises the logarithms of LMD's medians m⁺ and m⁻ over
 * all weights: under its stationary law they are normal, so m is log-normal. Silent for optimizers without such a state.
 */
export function diagnostics(options: DiagnosticsOptions = {}): Plugin {
  refuseUnknownOptions('diagnostics', options, ['bins', 'onSummary']);
  const { bins = 60, onSummary } = options;
  return {
    name: 'diagnostics',
    async evaluate({ split, step }, run) {
      if (split !== 'validation') return;
      const tensors = Object.entries(run.state.tensors).filter(([name]) => logMedians.test(name));
      if (tensors.length === 0) return;
      const values = await Promise.all(tensors.map(async ([, tensor]) => (await run.ops.read(tensor)) as Float32Array));
      const summary = logNormality(values, bins);
      onSummary?.(summary, step);
      await run.announce({ type: 'report', step, plugin: 'diagnostics', data: { logMedians: { ...summary } } });
    },
  };
}
