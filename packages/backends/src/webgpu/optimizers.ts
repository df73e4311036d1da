import {
  type FusedKernels,
  type LmdRegularizer,
  type LmdUpdateOptions,
  type RandomKey,
  sizeOf,
  type Tensor,
} from '@lmd/core';
import type { Context } from './context.js';
import type { Kernel } from './kernel.js';
import { keyParameters, keyValues } from './random.js';
import { mathLibrary, normalsLibrary, perElement } from './wgsl.js';

const drawKernel: Kernel = {
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

const adamwKernel: Kernel = {
  name: 'adamwUpdate',
  inputs: { weights: 'f32', first: 'f32', second: 'f32', gradient: 'f32' },
  outputs: { new_weights: 'f32', new_first: 'f32', new_second: 'f32' },
  parameters: {
    count: 'u32',
    beta1: 'f32',
    rest1: 'f32',
    beta2: 'f32',
    rest2: 'f32',
    rate: 'f32',
    kept: 'f32',
    second_scale: 'f32',
    epsilon: 'f32',
  },
  code: perElement(`
  let g = gradient_at(i);
  let first = params.beta1 * first_at(i) + params.rest1 * g;
  let second = params.beta2 * second_at(i) + params.rest2 * (g * g);
  new_first_set(i, first);
  new_second_set(i, second);
  new_weights_set(i, params.kept * weights_at(i) - params.rate * first / (sqrt(second) * params.second_scale + params.epsilon));`),
};

const regularizerNumbers: Readonly<Record<LmdRegularizer, number>> = {
  logNormalPrior: 0,
  powerPrior: 1,
  exponentialPrior: 2,
  halfNormalPrior: 3,
};

const stepParameters = {
  count: 'u32',
  base: 'u32',
  elements: 'u32',
  learning_rate: 'f32',
  beta1: 'f32',
  rest1: 'f32',
  beta2: 'f32',
  rest2: 'f32',
  regularization: 'f32',
  regularizer: 'u32',
  use_sign: 'u32',
} as const;

const stepLibrary = `
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
  // Without regularisation the prior is not read: it may be as far as it likes.
  if (params.regularization == 0.0) { return log_median - params.learning_rate * direction(push); }
  return log_median - params.learning_rate * (direction(push) + params.regularization * pull(log_median - prior));
}
`;

/** Samples whose gradients one dispatch reads; more are averaged in further dispatches first. */
const samplesTogether = 3;

const letters = ['a', 'b', 'c'] as const;

/** Names of the key's parameters of each sample; the seed is one. */
const sampleKeys = (samples: number) =>
  letters.slice(0, samples).flatMap((letter) => [`stream_${letter}`, `step_${letter}`, `sample_${letter}`]);

function sampleKeyValues(keys: readonly RandomKey[], complement: boolean) {
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
const halfKernel = memo(
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
const gatherKernel = memo(
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
const finishKernel: Kernel = {
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
const unscaledKernel: Kernel = {
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

const sumKernel: Kernel = {
  name: 'lmdUpdate-sum',
  inputs: { a: 'f32', b: 'f32' },
  outputs: { out: 'f32' },
  parameters: { count: 'u32' },
  code: perElement('out_set(i, a_at(i) + b_at(i));'),
};

function stepValues(options: LmdUpdateOptions, share: number) {
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

export function optimizers(context: Context): Pick<FusedKernels, 'lmdDraw' | 'lmdUpdate' | 'adamwUpdate'> {
  const { make, makeAll, runPages, store } = context;

  /** Runs `body` with the sum of what `next` adds term by term, and frees every sum on the way. */
  function withSum<Result>(
    first: Tensor | undefined,
    terms: readonly (readonly Tensor[])[],
    next: (sum: Tensor | undefined, term: readonly Tensor[], index: number) => Tensor,
    body: (sum: Tensor) => Result,
  ): Result {
    let sum = first;
    const replace = (by: Tensor | undefined) => {
      if (sum !== undefined && sum !== first) store.free(sum);
      sum = by;
    };
    try {
      for (const [index, term] of terms.entries()) replace(next(sum, term, index));
      return body(sum!);
    } finally {
      replace(undefined);
    }
  }

  /** log m and v of one half after the step. */
  function updateHalf(
    logMedian: Tensor,
    momentum: Tensor,
    gradients: readonly Tensor[],
    keys: readonly RandomKey[],
    prior: Tensor,
    options: LmdUpdateOptions,
    minus: boolean,
  ): [Tensor, Tensor] {
    const { shape } = logMedian;
    const values = stepValues(options, (minus ? -1 : 1) / gradients.length);
    if (gradients.length <= samplesTogether) {
      const own = { ...values, ...sampleKeyValues(keys, minus) };
      const kernel = halfKernel(gradients.length);
      return makeAll([shape, shape] as const, (outs) =>
        runPages(kernel, [logMedian, momentum, prior, ...gradients], outs, own, 4),
      );
    }
    const chunks = Array.from({ length: Math.ceil(gradients.length / samplesTogether) }, (_, i) =>
      gradients.slice(i * samplesTogether, (i + 1) * samplesTogether),
    );
    const gather = (sum: Tensor | undefined, some: readonly Tensor[], i: number) =>
      make(shape, 'f32', (out) => {
        const own = {
          noise: options.noise,
          fresh: sum === undefined ? 1 : 0,
          ...sampleKeyValues(keys.slice(i * samplesTogether, (i + 1) * samplesTogether), minus),
        };
        // The first run has no sum to add to, and does not read what it is given in its place.
        runPages(gatherKernel(some.length), [logMedian, sum ?? logMedian, ...some], [out], own, 4);
      });
    return withSum(undefined, chunks, gather, (sum) =>
      makeAll([shape, shape] as const, (outs) =>
        runPages(finishKernel, [logMedian, momentum, prior, sum], outs, values),
      ),
    );
  }

  return {
    lmdDraw: (logPlus, logMinus, noise, key) =>
      make(logPlus.shape, 'f32', (out) => {
        if (sizeOf(out.shape) > 0) runPages(drawKernel, [logPlus, logMinus], [out], { noise, ...keyValues(key) }, 4);
      }),

    lmdUpdate(state, gradients, keys, logPriorMedian, options) {
      const { logPlus, logMinus, momentumPlus, momentumMinus } = state;
      if (options.gradientScaling === 'none') {
        const { shape } = logPlus;
        const add = (sum: Tensor | undefined, [gradient]: readonly Tensor[]) =>
          make(shape, 'f32', (out) => runPages(sumKernel, [sum!, gradient!], [out], {}));
        const rest = gradients.slice(1).map((gradient) => [gradient]);
        const values = stepValues(options, 1 / gradients.length);
        const [plus, minus, momentum] = withSum(gradients[0], rest, add, (sum) =>
          makeAll([shape, shape, shape] as const, (outs) =>
            runPages(unscaledKernel, [logPlus, logMinus, momentumPlus, logPriorMedian, sum], outs, values),
          ),
        );
        return { logPlus: plus, logMinus: minus, momentumPlus: momentum };
      }
      const half = (logMedian: Tensor, momentum: Tensor, minus: boolean) =>
        updateHalf(logMedian, momentum, gradients, keys, logPriorMedian, options, minus);
      const plus = half(logPlus, momentumPlus, false);
      let minus: [Tensor, Tensor];
      try {
        minus = half(logMinus, momentumMinus!, true);
      } catch (error) {
        for (const x of plus) store.free(x);
        throw error;
      }
      return { logPlus: plus[0], logMinus: minus[0], momentumPlus: plus[1], momentumMinus: minus[1] };
    },

    adamwUpdate(state, gradient, options) {
      const { learningRate, beta1, beta2, epsilon, weightDecay, step } = options;
      const values = {
        beta1,
        rest1: 1 - beta1,
        beta2,
        rest2: 1 - beta2,
        rate: learningRate / (1 - beta1 ** step),
        kept: 1 - learningRate * weightDecay,
        second_scale: 1 / Math.sqrt(1 - beta2 ** step),
        epsilon,
      };
      const { shape } = gradient;
      const [weights, firstMoment, secondMoment] = makeAll([shape, shape, shape] as const, (outs) =>
        runPages(adamwKernel, [state.weights, state.firstMoment, state.secondMoment, gradient], outs, values),
      );
      return { weights, firstMoment, secondMoment };
    },
  };
}
