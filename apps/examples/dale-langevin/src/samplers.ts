import {
  type EagerOperations,
  LmdError,
  type OptionsOf,
  type OptionTable,
  option,
  resolveOptions,
  streamOf,
  type Tensor,
} from '@lmd/core';
import { addNoise, type MultiplicativeScore, type Process } from './process.js';

export const samplerOptionTable = {
  rule: option.choice(['dale', 'unconstrained'], {
    default: 'dale',
    describe: 'Sampler: `dale` multiplies by an exponential, so that no value changes sign.',
  }),
  levels: option.integer({ atLeast: 1, default: 1000, describe: 'Noise levels, from the duration down to 0.' }),
  inner: option.integer({ atLeast: 1, default: 1, describe: 'Inner steps K at each noise level.' }),
  stepScale: option.number({ above: 0, default: 1, describe: 'Step size δ, relative to that of exact time reversal.' }),
  decay: option.number({ above: 0, atMost: 1, default: 1, describe: 'Factor of the noise amplitude a at each level.' }),
} as const satisfies OptionTable;

export interface SamplerOptions extends OptionsOf<typeof samplerOptionTable> {}

/**
 * The forward process backward in time, from `start` [batch, height, width, 1] at t = duration to pictures at t = 0.
 * The times are t_n = duration·(n/levels)^power, and δ = stepScale·(t_n − t_(n−1))/inner. With stepScale and decay 1 it
 * is the Euler–Maruyama method for the reverse equation dx = (2σ²x − μx + σ²x²s) dτ + σx dB (Anderson 1982), or, for
 * `dale`, for its logarithm by Itô's lemma: d log x = (1.5σ² − μ + σ²x s) dτ + σ dB.
 *
 * @param onLevel awaited after each noise level, for progress.
 * @throws LmdError `INVALID_ARGUMENT` or `UNKNOWN_OPTION` for an option; `NON_FINITE` if a value is not positive.
 */
export async function samplePictures(
  ops: EagerOperations,
  { drift, volatility, duration, power }: Process,
  score: MultiplicativeScore,
  start: Tensor,
  seed: number,
  options: SamplerOptions = {},
  onLevel: (level: number) => Promise<void> = async () => {},
): Promise<Float32Array> {
  const { rule, levels, inner, stepScale, decay } = resolveOptions('samplePictures', samplerOptionTable, options);
  const shift = (rule === 'dale' ? 1.5 : 2) * volatility ** 2 - drift;
  const timeOf = (level: number) => duration * ((levels - level) / levels) ** power;
  let x = ops.add(start, 0);
  for (let level = 0; level < levels; level++) {
    const step = (stepScale * (timeOf(level) - timeOf(level + 1))) / inner;
    for (let sample = 0; sample < inner; sample++) {
      const next = ops.scope(() => {
        const t = ops.full([x.shape[0]!, 1, 1, 1], timeOf(level));
        const noise = ops.randomNormal(x.shape, { seed, stream: streamOf('sampler'), step: level, sample });
        const mean = ops.multiply(ops.add(ops.multiply(score(ops, x, t), volatility ** 2), shift), step);
        const change = ops.add(mean, ops.multiply(noise, decay ** level * Math.sqrt(step) * volatility));
        return ops.multiply(x, rule === 'dale' ? ops.exp(change) : ops.add(change, 1));
      });
      ops.dispose(x);
      x = next;
    }
    await onLevel(level + 1);
  }
  const pictures = (await ops.read(x)) as Float32Array;
  ops.dispose(x);
  if (!pictures.every((value) => value > 0 && value < Number.POSITIVE_INFINITY)) {
    throw new LmdError('NON_FINITE', 'A sampled value is not a positive, finite number.', {
      subject: 'samplePictures',
      remedy: 'Use more levels, or a smaller stepScale.',
    });
  }
  return pictures;
}

/** The paper's start: independent log-normal values, with the mean and the variance of log x at the process's end. */
export function independentStart(
  ops: EagerOperations,
  process: Process,
  { logMean, logDeviation }: { readonly logMean: number; readonly logDeviation: number },
  shape: readonly number[],
  seed: number,
): Tensor {
  return ops.scope(() => {
    const noise = ops.randomNormal(shape, { seed, stream: streamOf('mixing'), step: 0, sample: 0 });
    return atEnd(ops, process, ops.add(ops.multiply(noise, logDeviation), logMean), seed);
  });
}

/**
 * A start for processes that end before the data are forgotten: log-normal pictures with the mean and the covariance of
 * log x at the end of the process, those of the `examples` x₀ [n, height, width, 1]. The covariance is never formed:
 * with standard normal z, Σ_i z_i·(log x₀ᵢ − mean)/√n has it.
 */
export function correlatedStart(
  ops: EagerOperations,
  process: Process,
  examples: Tensor,
  count: number,
  seed: number,
): Tensor {
  const [n, ...shape] = examples.shape as [number, ...number[]];
  return ops.scope(() => {
    const logs = ops.reshape(ops.log(examples), [n, -1]);
    const mean = ops.mean(logs, { axes: 0, keepDims: true });
    const noise = ops.randomNormal([count, n], { seed, stream: streamOf('mixing'), step: 0, sample: 0 });
    const mixed = ops.matmul(noise, ops.multiply(ops.subtract(logs, mean), 1 / Math.sqrt(n)));
    return atEnd(ops, process, ops.reshape(ops.add(mixed, mean), [count, ...shape]), seed);
  });
}

/** x_T for these log x₀. */
function atEnd(ops: EagerOperations, process: Process, logs: Tensor, seed: number): Tensor {
  const t = ops.full([logs.shape[0]!, 1, 1, 1], process.duration);
  const noise = ops.randomNormal(logs.shape, { seed, stream: streamOf('start'), step: 0, sample: 0 });
  return addNoise(ops, process, ops.exp(logs), t, noise);
}
