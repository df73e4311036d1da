import { type Primitives, primitiveDTypes, type RandomKey, sizeOf, type Tensor } from '@lmd/core';
import type { MemoryHost } from './memory-host.js';

/** Numbers of what a generator makes of its words in `assembly/random.ts`, and nanoseconds an element. */
const generators = {
  randomBits: { kind: 0, cost: 1.2 },
  randomUniform: { kind: 1, cost: 1.4 },
  randomNormal: { kind: 2, cost: 2 },
} as const;

type Generator = keyof typeof generators;

/** The lower and upper 32 bits of the seed: the key of Philox. */
export function seedWords({ seed }: RandomKey): [number, number] {
  return [seed >>> 0, Math.floor(seed / 2 ** 32)];
}

export function randomTensor<Name extends Generator>(
  host: MemoryHost,
  name: Name,
  shape: readonly number[],
  key: RandomKey,
): Tensor<(typeof primitiveDTypes)[Name]['result']> {
  return host.make(shape, primitiveDTypes[name].result, (out) => {
    const { kind, cost } = generators[name];
    const [low, high] = seedWords(key);
    const split = { total: sizeOf(shape), unit: 16, cost };
    host.run('random', split, kind, host.address(out), key.stream, key.step, key.sample, low, high);
  });
}

export function cpuRandom(host: MemoryHost): Pick<Primitives, Generator> {
  return {
    randomBits: (shape, key) => randomTensor(host, 'randomBits', shape, key),
    randomUniform: (shape, key) => randomTensor(host, 'randomUniform', shape, key),
    randomNormal: (shape, key) => randomTensor(host, 'randomNormal', shape, key),
  };
}
