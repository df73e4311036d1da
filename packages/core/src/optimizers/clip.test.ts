import { describe, expect, it } from 'vitest';
import { adamw, clipByGlobalNorm, globalNorm, type Optimizer, type Pass, parameterGroups } from '../index.js';
import { allValues, expectClose, pass, tensors, testOperations, values } from './test-support.js';

/** A rule that remembers the gradients of its last update as its state, so that a test can see what reached it. */
const spy: Optimizer = {
  ...adamw(),
  name: 'spy',
  update: (ops, state, passes: readonly Pass[]) => ({
    step: state.step + 1,
    tensors: Object.fromEntries(
      passes.flatMap(({ gradients }, index) =>
        Object.entries(gradients).map(([name, gradient]) => [`${name}/gradient${index}`, ops.multiply(gradient, 1)]),
      ),
    ),
  }),
};

async function clipped(maxNorm: number, ...passes: Record<string, readonly number[]>[]) {
  const ops = testOperations();
  const rule = clipByGlobalNorm(spy, maxNorm);
  const given = passes.map((gradients, sample) => pass(tensors(ops, gradients), 0, sample));
  const before = ops.memory().tensors;
  const next = rule.update(ops, { step: 0, tensors: {} }, given);
  expect(ops.memory().tensors - before).toBe(Object.keys(next.tensors).length);
  return await allValues(ops, next.tensors);
}

describe('globalNorm', () => {
  it('is the root of the sum of all squares', async () => {
    const ops = testOperations();
    const norm = globalNorm(ops, tensors(ops, { a: [1, 2], b: [-4, 10] }));
    expect(norm.shape).toEqual([]);
    expect(await values(ops, norm)).toEqual([11]);
    expect(await values(ops, globalNorm(ops, {}))).toEqual([0]);
    expect(ops.memory().tensors).toBe(2 + 2);
  });

  it.each([1e30, 3e19, 1e10, 1e-10, 3e-23, 1e-30])(
    'is right where the squares of %s do not fit in f32',
    async (size) => {
      const ops = testOperations();
      const norm = globalNorm(ops, tensors(ops, { a: [3 * size, 0], b: [-4 * size] }));
      expectClose(await values(ops, norm), [5 * size], 1e-6, 0);
    },
  );

  it('does not depend on the order of the record, to the bit', async () => {
    const ops = testOperations();
    const entries = Array.from(
      { length: 24 },
      (_, index) => [`w${index}`, ops.fromData([Math.sin(index) * 10 ** ((index * 5) % 7)])] as const,
    );
    const norms = [entries, [...entries].reverse(), [...entries.slice(9), ...entries.slice(0, 9)]].map((ordered) =>
      globalNorm(ops, Object.fromEntries(ordered)),
    );
    const [first, ...others] = await Promise.all(norms.map((norm) => values(ops, norm)));
    expect(others).toEqual([first, first]);
  });
});

describe('clipByGlobalNorm', () => {
  it('leaves gradients within the norm as they are, to the bit', async () => {
    expect(await clipped(11, { a: [0.1, 0.2], b: [0.3] })).toEqual({
      'a/gradient0': await stored([0.1, 0.2]),
      'b/gradient0': await stored([0.3]),
    });
    expect(await clipped(1, { a: [0, 0] })).toEqual({ 'a/gradient0': [0, 0] });
  });

  it('scales larger ones to the norm, all by one factor', async () => {
    const result = await clipped(5.5, { a: [1, 2], b: [-4, 10] });
    expectClose(result['a/gradient0']!, [0.5, 1], 1e-6);
    expectClose(result['b/gradient0']!, [-2, 5], 1e-6);
  });

  it('clips each pass by its own norm', async () => {
    const result = await clipped(1, { a: [3, 4] }, { a: [0, 0.5] });
    expectClose(result['a/gradient0']!, [0.6, 0.8], 1e-6);
    expect(result['a/gradient1']).toEqual([0, 0.5]);
  });

  it.each([3e38, 1e30, 1e19])('scales gradients of %s, whose squares or norm do not fit in f32', async (size) => {
    const result = await clipped(2, { a: [size, -size], b: [size, size] });
    expectClose(result['a/gradient0']!, [1, -1], 1e-6);
    expectClose(result['b/gradient0']!, [1, 1], 1e-6);
  });

  it('scales gradients to a norm whose square vanishes', async () => {
    expectClose((await clipped(5e-30, { a: [3, 4] }))['a/gradient0']!, [3e-30, 4e-30], 1e-6, 0);
    expectClose((await clipped(5e-31, { a: [3e-30, 4e-30] }))['a/gradient0']!, [3e-31, 4e-31], 1e-6, 0);
    expect((await clipped(6e-30, { a: [3e-30, 4e-30] }))['a/gradient0']).toEqual(await stored([3e-30, 4e-30]));
  });

  it.each([Number.NaN, Infinity, -Infinity])('makes every gradient NaN where one is %s', async (bad) => {
    const result = await clipped(1, { a: [bad, 1], b: [2, 0] });
    expect(result).toEqual({ 'a/gradient0': [Number.NaN, Number.NaN], 'b/gradient0': [Number.NaN, Number.NaN] });
  });

  it('passes everything else through', async () => {
    const ops = testOperations();
    const plain = adamw({ learningRate: 0.1 });
    const rule = clipByGlobalNorm(plain, 1e6);
    expect(rule.name).toBe('clipByGlobalNorm(adamw)');
    expect(rule.samples).toBe(1);
    const state = await rule.init(ops, tensors(ops, { w: [1, 2] }));
    const gradient = tensors(ops, { w: [3, 4] });
    const next = rule.update(ops, state, [pass(gradient)]);
    expect(await allValues(ops, next.tensors)).toEqual(
      await allValues(ops, plain.update(ops, state, [pass(gradient)]).tensors),
    );
    expect(await allValues(ops, rule.draw(ops, next, pass({}).key))).toEqual(
      await allValues(ops, rule.weights(ops, next)),
    );
  });

  it('spans all groups when it is around them', async () => {
    const ops = testOperations();
    const rule = clipByGlobalNorm(
      parameterGroups([
        { match: 'a', optimizer: spy },
        { match: '*', optimizer: spy },
      ]),
      1,
    );
    const state = await rule.init(ops, tensors(ops, { a: [1], b: [1] }));
    const next = rule.update(ops, state, [pass(tensors(ops, { a: [3], b: [4] }))]);
    expectClose(await values(ops, next.tensors['a/gradient0']!), [0.6], 1e-6);
    expectClose(await values(ops, next.tensors['b/gradient0']!), [0.8], 1e-6);
  });

  it.each([0, -1, Number.NaN, Infinity, '1', undefined])('refuses the norm %s', (norm) => {
    expect(() => clipByGlobalNorm(adamw(), norm as never)).toThrow(/clipByGlobalNorm: maxNorm is/);
  });
});

/** What a backend holds of these numbers: f32 backends round them. */
async function stored(numbers: readonly number[]): Promise<number[]> {
  const ops = testOperations();
  return await values(ops, ops.fromData(numbers));
}
