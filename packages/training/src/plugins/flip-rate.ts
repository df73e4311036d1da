import {
  type BlockFormat,
  type NamedTensors,
  type OptionsOf,
  type OptionTable,
  option,
  resolveOptions,
  roundingOptionTable,
  sizeOf,
} from '@lmd/core';
import type { Plugin, TrainingRun } from '../plugin.js';
import { countOf, isDue, mapTensors, measureOptionTable, ratio, readScalars } from './measure.js';

/** The options of `flipRate`, declared once. */
export const flipRateOptionTable = {
  ...measureOptionTable,
  /**
   * Format to which the weights are quantized for the comparison; usually that of the forward pass. An object;
   * required.
   */
  format: option.object<BlockFormat>({
    required: true,
    describe: 'Format to which the weights are quantized for the comparison; usually that of the forward pass.',
  }),
  /**
   * Axis along which blocks run, counted from the end: −2 is the contraction axis of W in x·W. A whole number, at most
   * -1; default -2.
   */
  axis: option.integer({
    atMost: -1,
    default: -2,
    describe: 'Axis along which blocks run, counted from the end: −2 is the contraction axis of W in x·W.',
  }),
  /**
   * How the power-of-two scale of a block is computed from its largest magnitude; the default follows OCP MX v1.0.
   * `floor`, `ceil`, `rceil` or `even`; default `floor`.
   */
  scaleMode: roundingOptionTable.scaleMode,
} as const satisfies OptionTable;

export interface FlipRateOptions extends OptionsOf<typeof flipRateOptionTable> {}

/**
 * Reports the flip rate of quantized weights: the fraction of the mean weights of rank 2 and more whose value, rounded
 * to the format (to nearest), changes in one step. A rate near 0 means that updates are lost in rounding; a rate that
 * stays high while the loss does not decrease means that weights oscillate between neighbouring values.
 *
 * Cost: a quantization of the weights in the measured step and the one before, a copy of them in between, and one
 * readback. The copy is part of the plugin's state. With `every` 1, each step is compared with the previous one.
 */
export function flipRate(options: FlipRateOptions): Plugin {
  const { every, format, axis, scaleMode } = resolveOptions('flipRate', flipRateOptionTable, options);
  let before: NamedTensors | undefined;

  function quantized({ ops, optimizer, state }: TrainingRun): NamedTensors {
    return ops.scope(() => {
      const weights = optimizer.weights(ops, state, 'mean');
      const matrices = Object.entries(weights).filter(([, { shape }]) => shape.length >= Math.max(2, -axis));
      return mapTensors(Object.fromEntries(matrices), (weight) =>
        ops.fakeQuantize(weight, { format, axis, scaleMode }),
      );
    });
  }

  const remember = ({ ops }: TrainingRun, next: NamedTensors | undefined) => {
    if (before !== undefined) ops.dispose(before);
    before = next;
  };

  return {
    name: 'flipRate',
    start(_, run) {
      // `close` has freed the tensors of an earlier run.
      before = undefined;
      if (isDue(run.step + 1, every, run.totalSteps)) remember(run, quantized(run));
    },
    async step({ step }, run) {
      const { ops, totalSteps } = run;
      const [measures, isNext] = [isDue(step, every, totalSteps), isDue(step + 1, every, totalSteps)];
      if (!measures && !isNext) return;
      const now = quantized(run);
      const old = before;
      try {
        if (measures && old !== undefined) await report(run, old, now);
      } finally {
        remember(run, isNext && step < totalSteps ? now : undefined);
        if (before !== now) ops.dispose(now);
      }
    },
    state: () => ({ tensors: before ?? {} }),
    restore({ tensors = {} }, run) {
      remember(run, Object.keys(tensors).length > 0 ? tensors : undefined);
    },
    close(run) {
      remember(run, undefined);
    },
  };
}

async function report(run: TrainingRun, old: NamedTensors, now: NamedTensors): Promise<void> {
  const { ops, step } = run;
  const same = await readScalars(ops, () =>
    mapTensors(now, (weight, name) => ops.scope(() => countOf(ops, ops.equal(weight, old[name]!)))),
  );
  const sizes = Object.entries(now).map(([name, { shape }]) => [name, sizeOf(shape)] as const);
  const total = sizes.reduce((sum, [, size]) => sum + size, 0);
  const flips = sizes.map(([name, size]) => [name, size - same.get(name)!] as const);
  const data = {
    all: ratio(
      flips.reduce((sum, [, count]) => sum + count, 0),
      total,
    ),
    weights: Object.fromEntries(flips.map(([name, count], index) => [name, ratio(count, sizes[index]![1])])),
  };
  await run.announce({ type: 'report', step, plugin: 'flipRate', data });
}
