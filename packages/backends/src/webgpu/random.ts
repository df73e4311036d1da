import { type Primitives, primitiveDTypes, type RandomKey, sizeOf } from '@lmd/core';
import type { Context } from './context.js';
import type { Kernel } from './kernel.js';
import { mathLibrary, normalsLibrary, perElement } from './wgsl.js';

type Random = Pick<Primitives, 'randomBits' | 'randomUniform' | 'randomNormal'>;

/** Parameters of a kernel that draws: those of the key, and the first counter block of the run. */
export const keyParameters = {
  stream: 'u32',
  step: 'u32',
  sample: 'u32',
  seed_low: 'u32',
  seed_high: 'u32',
} as const;

export function keyValues(key: RandomKey) {
  return {
    stream: key.stream,
    step: key.step,
    sample: key.sample,
    seed_low: key.seed % 2 ** 32,
    seed_high: Math.floor(key.seed / 2 ** 32),
  };
}

/** Four elements a thread: those of one counter block. */
const generator = (name: string, type: 'i32' | 'f32', values: string): Kernel => ({
  name,
  inputs: {},
  outputs: { out: type },
  parameters: { count: 'u32', base: 'u32', elements: 'u32', ...keyParameters },
  code: `${mathLibrary}${normalsLibrary}${perElement(`
  let words = philox(params.stream, params.step, params.sample, params.base / 4u + i, params.seed_low, params.seed_high);
  let values = ${values};
  for (var j = 0u; j < 4u; j++) { if (4u * i + j < params.elements) { out_set(4u * i + j, values[j]); } }`)}`,
});

const kernels = {
  randomBits: generator('randomBits', 'i32', 'vec4<i32>(words)'),
  randomUniform: generator('randomUniform', 'f32', 'vec4<f32>(words >> vec4<u32>(8u)) * 5.9604644775390625e-8'),
  randomNormal: generator('randomNormal', 'f32', 'normals(words)'),
};

export function random({ make, runPages }: Context): Random {
  const draw =
    <Name extends keyof typeof kernels>(name: Name) =>
    (shape: readonly number[], key: RandomKey) =>
      make<(typeof primitiveDTypes)[Name]['result']>(shape, primitiveDTypes[name].result, (out) => {
        if (sizeOf(shape) > 0) runPages(kernels[name], [], [out], keyValues(key), 4);
      });
  return {
    randomBits: draw('randomBits'),
    randomUniform: draw('randomUniform'),
    randomNormal: draw('randomNormal'),
  };
}
