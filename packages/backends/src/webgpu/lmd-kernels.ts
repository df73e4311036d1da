import type { LmdRegularizer, LmdUpdateOptions, RandomKey } from '@lmd/core';
import type { Kernel } from './kernel.js';
import { keyParameters } from './random.js';
import { mathLibrary, normalsLibrary, perElement } from './wgsl.js';

export const drawKernel: Kernel = {
  name: 'lmdDraw',
  inputs: { plus: 'f32', minus: 'f32' },
  outputs: { out: 'f32' },
  parameters: { count: 'u32', base: 'u32', elements: 'u32', noise: 'f32', ...keyParameters },
  code: `${mathLibrary}${normalsLibrary}
fn half_noise(stream: u32, block: u32) -> vec4<f32> {
  if (params.noise == 0.0) { return vec4<f32>(); }
  return normals(philox(stream, params.step, params.sample, block, params.seed_low, params.seed_high)) * params.noise;
}
${perElement(`
  let block = params.base / 4u + i;
  let noise_plus = half_noise(params.stream, block);
  let noise_minus = half_noise(~params.stream, block);
  for (var j = 0u; j < 4u; j++) {
    let at = 4u * i + j;
    if (at >= params.elements) { break; }
    out_set(at, exponential(plus_at(at) + noise_plus[j]) - exponential(minus_at(at) + noise_minus[j]));
  }`)}`,
};

const regularizerNumbers: Readonly<Record<LmdRegularizer, number>> = {
  logNormalPrior: 0,
  powerPrior: 1,
  exponentialPrior: 2,
  halfNormalPrior: 3,
};

export const ruleParameters = {
  learning_rate: 'f32',
  beta1: 'f32',
  rest1: 'f32',
  beta2: 'f32',
  rest2: 'f32',
  regularization: 'f32',
  regularizer: 'u32',
  use_sign: 'u32',
} as const;

const stepParameters = { count: 'u32', base: 'u32', elements: 'u32', ...ruleParameters } as const;

export const stepLibrary = `
fn pull(distance: f32) -> f32 {
  switch params.regularizer {
    case 0u: { return distance; }
    case 1u: { return 1.0; }
    case 2u: { return exponential(distance); }
    default: { return exponential(2.0 * distance); }
  }
}
fn direction(t: f32) -> f32 {
  if (params.use_sign == 0u || is_nan(t)) { return t; }
  return sign(t);
}
fn moved(log_median: f32, push: f32, prior: f32) -> f32 {
  // Without regularization the prior is not read and may have any value.
  if (params.regularization == 0.0) { return log_median - params.learning_rate * direction(push); }
  return log_median - params.learning_rate * (direction(push) + params.regularization * pull(log_median - prior));
}
`;

/** Samples whose gradients one dispatch reads; more are averaged in further dispatches first. */
export const samplesTogether = 3;

const letters = ['a', 'b', 'c'] as const;

/** Names of the key's parameters of each sample; the seed is one. */
const sampleKeys = (samples: number) =>
  letters.slice(0, samples).flatMap((letter) => [`stream_${letter}`, `step_${letter}`, `sample_${letter}`]);

export function sampleKeyValues(keys: readonly RandomKey[], complement: boolean) {
  const [first] = keys as [RandomKey];
  const values: { [name: string]: number } = {};
  for (const [s, key] of keys.entries()) {
    const letter = letters[s]!;
    values[`stream_${letter}`] = complement ? ~key.stream >>> 0 : key.stream;
    values[`step_${letter}`] = key.step;
    values[`sample_${letter}`] = key.sample;
    values[`seed_low_${letter}`] = key.seed % 2 ** 32;
    values[`seed_high_${letter}`] = Math.floor(key.seed / 2 ** 32);
  }
  return { ...values, seed: first.seed };
}

/** θ·g added up over samples, in WGSL: `total` is a vec4 of the thread's four elements. */
const gatherSamples = (samples: number) => `
  let block = params.base / 4u + i;
  var total = vec4<f32>();
  ${letters
    .slice(0, samples)
    .map(
      (s) => `
  {
    var noise = vec4<f32>();
    if (params.noise != 0.0) {
      noise = params.noise * normals(philox(params.stream_${s}, params.step_${s}, params.sample_${s}, block, params.seed_low_${s}, params.seed_high_${s}));
    }
    for (var j = 0u; j < 4u; j++) {
      let at = 4u * i + j;
      if (at < params.elements) { total[j] += exponential(log_median_at(at) + noise[j]) * gradient_${s}_at(at); }
    }
  }`,
    )
    .join('')}`;

const sampleParameters = (samples: number) =>
  Object.fromEntries(
    [
      ...sampleKeys(samples),
      ...letters.slice(0, samples).flatMap((letter) => [`seed_low_${letter}`, `seed_high_${letter}`]),
    ].map((name) => [name, 'u32' as const]),
  );

const gradientInputs = (samples: number) =>
  Object.fromEntries(letters.slice(0, samples).map((letter) => [`gradient_${letter}`, 'f32' as const]));

const memo = <T>(make: (samples: number) => T): ((samples: number) => T) => {
  const made: T[] = [];
  return (samples) => {
    made[samples] ??= make(samples);
    return made[samples]!;
  };
};

/** One half's whole step, for up to three samples. */
export const halfKernel = memo(
  (samples): Kernel => ({
    name: `lmdUpdate-${samples}`,
    inputs: { log_median: 'f32', momentum: 'f32', prior: 'f32', ...gradientInputs(samples) },
    outputs: { new_log_median: 'f32', new_momentum: 'f32' },
    parameters: { ...stepParameters, noise: 'f32', share: 'f32', ...sampleParameters(samples) },
    code: `${mathLibrary}${normalsLibrary}${stepLibrary}${perElement(`${gatherSamples(samples)}
  for (var j = 0u; j < 4u; j++) {
    let at = 4u * i + j;
    if (at >= params.elements) { break; }
    let g = total[j] * params.share;
    let v = momentum_at(at);
    new_momentum_set(at, params.beta2 * v + params.rest2 * g);
    new_log_median_set(at, moved(log_median_at(at), params.beta1 * v + params.rest1 * g, prior_at(0u)));
  }`)}`,
  }),
);

/** Adds the θ·g of up to three samples to a running sum. */
export const gatherKernel = memo(
  (samples): Kernel => ({
    name: `lmdUpdate-gather-${samples}`,
    inputs: { log_median: 'f32', sum: 'f32', ...gradientInputs(samples) },
    outputs: { new_sum: 'f32' },
    parameters: {
      count: 'u32',
      base: 'u32',
      elements: 'u32',
      noise: 'f32',
      fresh: 'u32',
      ...sampleParameters(samples),
    },
    code: `${mathLibrary}${normalsLibrary}${perElement(`${gatherSamples(samples)}
  for (var j = 0u; j < 4u; j++) {
    let at = 4u * i + j;
    if (at >= params.elements) { break; }
    if (params.fresh == 0u) { total[j] += sum_at(at); }
    new_sum_set(at, total[j]);
  }`)}`,
  }),
);

/** One half's step from a sum that further dispatches have made. */
export const finishKernel: Kernel = {
  name: 'lmdUpdate-finish',
  inputs: { log_median: 'f32', momentum: 'f32', prior: 'f32', sum: 'f32' },
  outputs: { new_log_median: 'f32', new_momentum: 'f32' },
  parameters: { ...stepParameters, share: 'f32' },
  code: `${mathLibrary}${stepLibrary}${perElement(`
  let g = sum_at(i) * params.share;
  let v = momentum_at(i);
  new_momentum_set(i, params.beta2 * v + params.rest2 * g);
  new_log_median_set(i, moved(log_median_at(i), params.beta1 * v + params.rest1 * g, prior_at(0u)));`)}`,
};

/** Without scaling by the sample one momentum serves both halves, and no noise is drawn. */
export const unscaledKernel: Kernel = {
  name: 'lmdUpdate-unscaled',
  inputs: { plus: 'f32', minus: 'f32', momentum: 'f32', prior: 'f32', gradient: 'f32' },
  outputs: { new_plus: 'f32', new_minus: 'f32', new_momentum: 'f32' },
  parameters: { ...stepParameters, share: 'f32' },
  code: `${mathLibrary}${stepLibrary}${perElement(`
  let g = gradient_at(i) * params.share;
  let v = momentum_at(i);
  let push = params.beta1 * v + params.rest1 * g;
  new_momentum_set(i, params.beta2 * v + params.rest2 * g);
  new_plus_set(i, moved(plus_at(i), push, prior_at(0u)));
  new_minus_set(i, moved(minus_at(i), -push, prior_at(0u)));`)}`,
};

export const sumKernel: Kernel = {
  name: 'lmdUpdate-sum',
  inputs: { a: 'f32', b: 'f32' },
  outputs: { out: 'f32' },
  parameters: { count: 'u32' },
  code: perElement('out_set(i, a_at(i) + b_at(i));'),
};

export function stepValues(options: LmdUpdateOptions, share: number) {
  const { learningRate, beta1, beta2, regularization, regularizer, useSign, noise } = options;
  return {
    learning_rate: learningRate,
    beta1,
    rest1: 1 - beta1,
    beta2,
    rest2: 1 - beta2,
    regularization,
    regularizer: regularizerNumbers[regularizer],
    use_sign: useSign ? 1 : 0,
    noise,
    share,
  };
}
