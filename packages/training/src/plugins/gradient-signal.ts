import { type NamedTensors, type OptionsOf, type OptionTable, option, resolveOptions, type Tensor } from '@lmd/core';
import type { Plugin, TrainingRun } from '../plugin.js';
import { pluginMarker } from '../plugin-marker.js';
import { isDue, measureOptionTable, ratio, readScalars, totalByName } from './measure.js';

/** The options of `gradientSignal`, declared once. */
export const gradientSignalOptionTable = {
  ...measureOptionTable,
  /** β: decay rate of the moving averages of g and g². Above 0 and below 1; default 0.99. */
  decay: option.number({
    above: 0,
    below: 1,
    default: 0.99,
    describe: 'β: decay rate of the moving averages of g and g².',
  }),
} as const satisfies OptionTable;

export interface GradientSignalOptions extends OptionsOf<typeof gradientSignalOptionTable> {}

const [meanOf, squareOf] = ['mean', 'square'] as const;

/**
 * Reports the signal-to-noise ratio of the gradients, for each weight and for all together: Σ ḡ² / Σ (g̅² − ḡ²) over
 * the coordinates, with bias-corrected running averages ḡ of the gradient (the mean over posterior samples) and g̅² of
 * its square. `noiseFloor` is the value for pure noise after many steps, (1 − β)/(2β): a ratio near it means that no
 * direction is distinguishable from noise.
 *
 * Cost: two vectors per weight of memory, two moving averages per step, and two sums and a readback per measurement.
 * The state is the averages and their step count.
 */
export function gradientSignal(options: GradientSignalOptions = {}): Plugin {
  const { every, decay } = resolveOptions('gradientSignal', gradientSignalOptionTable, options);
  let averages: NamedTensors | undefined;
  /** Averages of a step that may still fail. */
  let pending: NamedTensors | undefined;
  let count = 0;

  const free = ({ ops }: TrainingRun, tensors: NamedTensors | undefined) => {
    if (tensors !== undefined) ops.dispose(tensors);
  };

  return {
    ...pluginMarker,
    name: 'gradientSignal',
    start() {
      // `close` has freed the tensors of an earlier run.
      averages = undefined;
      pending = undefined;
      count = 0;
    },
    passes(passes, run) {
      const { ops } = run;
      free(run, pending);
      pending = undefined;
      const next: Record<string, Tensor> = {};
      for (const name of Object.keys(passes[0]!.gradients)) {
        const { mean, square } = ops.scope(() => {
          const sum = passes
            .slice(1)
            .reduce((a, { gradients }) => ops.add(a, gradients[name]!), passes[0]!.gradients[name]!);
          const gradient = ops.multiply(sum, 1 / passes.length);
          const mix = (kind: string, x: Tensor) => {
            const share = ops.multiply(x, 1 - decay);
            const old = averages?.[`${name}/${kind}`];
            return old === undefined ? share : ops.add(ops.multiply(old, decay), share);
          };
          return { mean: mix(meanOf, gradient), square: mix(squareOf, ops.multiply(gradient, gradient)) };
        });
        next[`${name}/${meanOf}`] = ops.keep(mean);
        next[`${name}/${squareOf}`] = ops.keep(square);
      }
      pending = next;
    },
    async step({ step }, run) {
      free(run, averages);
      averages = pending;
      pending = undefined;
      count++;
      if (averages !== undefined && isDue(step, every, run.totalSteps)) await report(run, averages);
    },
    state: () => ({ data: count, tensors: averages ?? {} }),
    restore({ data, tensors = {} }, run) {
      free(run, averages);
      count = data as number;
      averages = Object.keys(tensors).length > 0 ? tensors : undefined;
    },
    close(run) {
      free(run, averages);
      free(run, pending);
      averages = undefined;
      pending = undefined;
    },
  };

  async function report(run: TrainingRun, tensors: NamedTensors): Promise<void> {
    const { ops, step } = run;
    const correction = 1 / (1 - decay ** count);
    const names = Object.keys(tensors).flatMap((name) =>
      name.endsWith(`/${meanOf}`) ? [name.slice(0, -meanOf.length - 1)] : [],
    );
    const sums = await readScalars(ops, () =>
      Object.fromEntries(
        names.flatMap((name) => {
          const mean = ops.multiply(tensors[`${name}/${meanOf}`]!, correction);
          return [
            [`${name}/${meanOf}`, ops.sum(ops.multiply(mean, mean))],
            [`${name}/${squareOf}`, ops.multiply(ops.sum(tensors[`${name}/${squareOf}`]!), correction)],
          ];
        }),
      ),
    );
    const of = (kind: string, name: string) => sums.get(`${name}/${kind}`)!;
    const total = (kind: string) => totalByName(Object.fromEntries(names.map((name) => [name, of(kind, name)])));
    const data = {
      noiseFloor: (1 - decay) / (2 * decay),
      all: ratio(total(meanOf), total(squareOf) - total(meanOf)),
      weights: Object.fromEntries(
        names.map((name) => [name, ratio(of(meanOf, name), of(squareOf, name) - of(meanOf, name))]),
      ),
    };
    await run.announce({ type: 'report', step, plugin: 'gradientSignal', data });
  }
}
