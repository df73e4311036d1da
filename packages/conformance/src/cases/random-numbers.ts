import type { RandomKey } from '@lmd/core';
import type { BoundName } from '../bounds.js';
import type { Case, CaseGroup, Context } from '../case.js';
import { randomBits, randomNormal, randomUniform } from '../oracle/random.js';

const oracles = { randomBits, randomUniform, randomNormal };
type GeneratorName = keyof typeof oracles;

const generatorBounds: Record<GeneratorName, BoundName> = {
  randomBits: 'integer',
  randomUniform: 'copy',
  randomNormal: 'normal',
};

function check(context: Context, name: GeneratorName, shape: readonly number[], key: RandomKey): Promise<void> {
  return context.check({
    label: `${name} [${shape.join(', ')}] of ${JSON.stringify(key)}`,
    bound: generatorBounds[name],
    inputs: [],
    run: (ops) => ops[name](shape, key),
    want: oracles[name](shape, key),
  });
}

function generatorCase(name: GeneratorName, title: string): Case {
  return {
    name: title,
    async run(context) {
      const { random } = context;
      // Lengths around the four words of a counter block, and shapes, which must not matter.
      for (const shape of [[], [0], [1], [3], [4], [5], [7, 3], [2, 3, 5], [1031]]) {
        await check(context, name, shape, random.key());
      }
      const key = random.key();
      await check(context, name, [9], { ...key, seed: key.seed % 2 ** 32 });
      await check(context, name, [9], { seed: 0, stream: 0, step: 0, sample: 0 });
      const last = 2 ** 32 - 1;
      await check(context, name, [9], { seed: 2 ** 53 - 1, stream: last, step: last, sample: last });
    },
  };
}

const partsCase: Case = {
  name: 'each part of a key changes the bits, and the same key repeats them',
  async run(context) {
    const { ops, random, expect } = context;
    const key = random.key();
    const others: RandomKey[] = [
      { ...key, seed: key.seed === 0 ? 1 : key.seed - 1 },
      { ...key, seed: key.seed >= 2 ** 52 ? key.seed - 2 ** 40 : key.seed + 2 ** 40 },
      { ...key, stream: (key.stream + 1) % 2 ** 32 },
      { ...key, step: (key.step + 1) % 2 ** 32 },
      { ...key, sample: (key.sample + 1) % 2 ** 32 },
    ];
    const read = async (one: RandomKey) => {
      const bits = ops.randomBits([8], one);
      const data = await ops.read(bits);
      ops.dispose(bits);
      return data.join();
    };
    const first = await read(key);
    expect(await read(key)).toBe(first);
    for (const other of others) expect((await read(other)) === first).toBe(false);
  },
};

/** Philox4x32-10 and what is made of it. */
export const randomNumbers: CaseGroup = {
  name: 'random numbers',
  cases: [
    generatorCase('randomBits', 'randomBits to the bit'),
    generatorCase('randomUniform', 'randomUniform to the bit'),
    generatorCase('randomNormal', 'randomNormal within ulps'),
    partsCase,
  ],
};
