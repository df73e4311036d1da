import { type Primitives, primitiveDTypes, type RandomKey, sizeOf, type Tensor } from '@lmd/core';
import type { MemoryHost } from './memory-host.js';
import { RandomKind } from './wasm/numbers.js';

type Generator = keyof typeof RandomKind;

/** Nanoseconds an element. */
const costs: Readonly<Record<Generator, number>> = { randomBits: 1.2, randomUniform: 1.4, randomNormal: 2 };

/** A key as kernels take it: with the lower and upper 32 bits of the seed, the key of Philox. */
export function keyWords({ seed, stream, step, sample }: RandomKey): {
  stream: number;
  step: number;
  sample: number;
  seedLow: number;
  seedHigh: number;
} {
  return { stream, step, sample, seedLow: seed >>> 0, seedHigh: Math.floor(seed / 2 ** 32) };
}

export function randomTensor<Name extends Generator>(
  host: MemoryHost,
  name: Name,
  shape: readonly number[],
  key: RandomKey,
): Tensor<(typeof primitiveDTypes)[Name]['result']> {
  return host.make(shape, primitiveDTypes[name].result, (out) => {
    const split = { total: sizeOf(shape), unit: 16, cost: costs[name] };
    host.run('random', split, { kind: RandomKind[name], target: host.address(out), ...keyWords(key) });
  });
}

export function cpuRandom(host: MemoryHost): Pick<Primitives, Generator> {
  return {
    randomBits: (shape, key) => randomTensor(host, 'randomBits', shape, key),
    randomUniform: (shape, key) => randomTensor(host, 'randomUniform', shape, key),
    randomNormal: (shape, key) => randomTensor(host, 'randomNormal', shape, key),
  };
}
