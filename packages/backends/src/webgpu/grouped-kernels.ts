import type { RandomKey } from '@lmd/core';
import { adamwParameters, adamwStep } from './adamw-kernel.js';
import type { Kernel } from './kernel.js';
import { ruleParameters, stepLibrary } from './lmd-kernels.js';
import { mathLibrary, normalsLibrary, perElement } from './wgsl.js';

/**
 * Kernels over many small tensors at once. Each vector of the tensors lies in one buffer, tensor after tensor, every
 * one from a multiple of 64 words on; `total` words a vector. A thread takes four words, which belong to one tensor.
 */

/** Words that tensors are rounded up to: what a binding may start at. */
export const groupAlignment = 64;
/** Gradients, hence draws of a step, that one dispatch reads. */
export const groupSamples = 8;

const layoutParameters = { count: 'u32', total: 'u32', record_words: 'u32', bases: 'u32x8' } as const;
const sampleParameters = {
  samples: 'u32',
  seed_low: 'u32',
  seed_high: 'u32',
  steps: 'u32x8',
  sample_numbers: 'u32x8',
  noise: 'f32',
} as const;

/**
 * The table: the number of the tensor that each 64 words belong to, and from there on a record of each: where it
 * starts, its elements, and the stream of its noise for each sample.
 */
const layoutLibrary = `
struct Place { record: u32, first: u32, elements: u32 }
fn place_of(word: u32) -> Place {
  let record = params.total / ${groupAlignment}u + table_at(word / ${groupAlignment}u) * params.record_words;
  return Place(record, word - table_at(record), table_at(record + 1u));
}
fn vector_at(v: u32, word: u32) -> f32 { return state_at(params.bases[v >> 2u][v & 3u] + word); }
`;

const noiseLibrary = `
fn noise_of(stream: u32, s: u32, first: u32) -> vec4<f32> {
  if (params.noise == 0.0) { return vec4<f32>(); }
  let step = params.steps[s >> 2u][s & 3u];
  let sample = params.sample_numbers[s >> 2u][s & 3u];
  return params.noise * normals(philox(stream, step, sample, first / 4u, params.seed_low, params.seed_high));
}
`;

/** A `main` that runs `body` for each four words, and `each` for each word of them that is an element. */
const perPlace = (body: string, each: string) =>
  perElement(`
  let word = 4u * i;
  let place = place_of(word);
  ${body}
  for (var j = 0u; j < 4u; j++) {
    if (place.first + j >= place.elements) { break; }
    let at = word + j;
    ${each}
  }`);

export const groupedDraw: Kernel = {
  name: 'lmdDraw-grouped',
  inputs: { table: 'u32', state: 'f32' },
  outputs: { out: 'f32' },
  parameters: { ...layoutParameters, ...sampleParameters },
  code: `${mathLibrary}${normalsLibrary}${layoutLibrary}${noiseLibrary}${perPlace(
    `let stream = table_at(place.record + 2u);
  let noise_plus = noise_of(stream, 0u, place.first);
  let noise_minus = noise_of(~stream, 0u, place.first);`,
    'out_set(at, exponential(vector_at(0u, at) + noise_plus[j]) - exponential(vector_at(1u, at) + noise_minus[j]));',
  )}`,
};

/** Both halves. The prior of tensor t is `prior_at(t)`. */
export const groupedLmd: Kernel = {
  name: 'lmdUpdate-grouped',
  inputs: { table: 'u32', state: 'f32', prior: 'f32', gradients: 'f32' },
  outputs: { out: 'f32' },
  parameters: { ...layoutParameters, ...ruleParameters, ...sampleParameters, share: 'f32' },
  code: `${mathLibrary}${normalsLibrary}${stepLibrary}${layoutLibrary}${noiseLibrary}
fn half_step(v: u32, at: u32, total: f32, share: f32, prior: f32) {
  let g = total * share;
  let momentum = vector_at(v + 2u, at);
  out_set((v + 2u) * params.total + at, params.beta2 * momentum + params.rest2 * g);
  out_set(v * params.total + at, moved(vector_at(v, at), params.beta1 * momentum + params.rest1 * g, prior));
}
${perPlace(
  `let prior = prior_at(table_at(word / ${groupAlignment}u));
  var total_plus = vec4<f32>();
  var total_minus = vec4<f32>();
  for (var s = 0u; s < params.samples; s++) {
    let stream = table_at(place.record + 2u + s);
    let noise_plus = noise_of(stream, s, place.first);
    let noise_minus = noise_of(~stream, s, place.first);
    for (var j = 0u; j < 4u; j++) {
      if (place.first + j >= place.elements) { break; }
      let g = gradients_at(s * params.total + word + j);
      total_plus[j] += exponential(vector_at(0u, word + j) + noise_plus[j]) * g;
      total_minus[j] += exponential(vector_at(1u, word + j) + noise_minus[j]) * g;
    }
  }`,
  `half_step(0u, at, total_plus[j], params.share, prior);
    half_step(1u, at, total_minus[j], -params.share, prior);`,
)}`,
};

/** Without scaling by the sample: one momentum, and no noise. */
export const groupedUnscaledLmd: Kernel = {
  name: 'lmdUpdate-unscaled-grouped',
  inputs: { table: 'u32', state: 'f32', prior: 'f32', gradients: 'f32' },
  outputs: { out: 'f32' },
  parameters: { ...layoutParameters, ...ruleParameters, samples: 'u32', share: 'f32' },
  code: `${mathLibrary}${stepLibrary}${layoutLibrary}${perPlace(
    `let prior = prior_at(table_at(word / ${groupAlignment}u));`,
    `var sum = gradients_at(at);
    for (var s = 1u; s < params.samples; s++) { sum += gradients_at(s * params.total + at); }
    let g = sum * params.share;
    let momentum = vector_at(2u, at);
    let push = params.beta1 * momentum + params.rest1 * g;
    out_set(2u * params.total + at, params.beta2 * momentum + params.rest2 * g);
    out_set(at, moved(vector_at(0u, at), push, prior));
    out_set(params.total + at, moved(vector_at(1u, at), -push, prior));`,
  )}`,
};

export const groupedAdamw: Kernel = {
  name: 'adamwUpdate-grouped',
  inputs: { table: 'u32', state: 'f32', gradients: 'f32' },
  outputs: { out: 'f32' },
  parameters: { ...layoutParameters, ...adamwParameters },
  code: `${adamwStep}${layoutLibrary}${perPlace(
    '',
    `let g = gradients_at(at);
    let first = average_first(vector_at(1u, at), g);
    let second = average_second(vector_at(2u, at), g);
    out_set(params.total + at, first);
    out_set(2u * params.total + at, second);
    out_set(at, stepped(vector_at(0u, at), first, second));`,
  )}`,
};

/** Parameters of draws with these keys, which are of one seed. Their streams are in the table. */
export function groupedKeyValues(keys: readonly RandomKey[]) {
  const { seed } = keys[0]!;
  return {
    samples: keys.length,
    seed_low: seed % 2 ** 32,
    seed_high: Math.floor(seed / 2 ** 32),
    steps: keys.map(({ step }) => step),
    sample_numbers: keys.map(({ sample }) => sample),
  };
}
