import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type AdamwOptions, adamw, disposeState, type OptimizerState } from '../index.js';
import { allValues, expectClose, follow, pass, reloaded, tensors, testOperations, trial } from './test-support.js';

interface Case {
  readonly options: AdamwOptions;
  readonly weight: readonly number[];
  readonly gradients: readonly (readonly number[])[];
  /** The vectors after the last step. */
  readonly end: Readonly<Record<string, readonly number[]>>;
}

const golden = (
  JSON.parse(readFileSync(new URL('../../golden/compact-states.json', import.meta.url), 'utf8')) as {
    readonly adamw: readonly Case[];
  }
).adamw;

/** How many numbers differ by more than f32 arithmetic in another order explains. */
const differing = (actual: readonly number[], expected: readonly number[]) =>
  actual.filter((value, i) => Math.abs(value - expected[i]!) > 1e-5 * Math.abs(expected[i]!) + 1e-9).length;

describe('adamw with compact states', () => {
  it.each(golden)(
    'has the vectors of the NumPy implementation: $options',
    async ({ options, weight, gradients, end }) => {
      const vectors = await follow(adamw(options), weight, gradients);
      expect(Object.keys(vectors)).toEqual(Object.keys(end));
      for (const [vector, expected] of Object.entries(end)) {
        // Where the last bit of a sum decides between two codes, both are right.
        expect(differing(vectors[vector]!, expected), vector).toBeLessThanOrEqual(2);
        expectClose(vectors[vector]!, expected, 0.03, 0.01 * Math.max(...expected.map(Math.abs)));
      }
    },
  );

  it.each<AdamwOptions>([{ momentFormat: 'companded8' }, { weightFormat: 'bf16', momentFormat: 'companded8' }])(
    'resumes to the same bits: %j',
    async (formats) => {
      const ops = testOperations();
      const { initial, gradients } = trial(75, 8);
      const rule = adamw({ learningRate: 0.01, ...formats });
      const run = async (from: OptimizerState, steps: readonly number[]) => {
        let state = from;
        for (const step of steps) {
          const given = tensors(ops, { w: gradients[step]! });
          const before = state;
          state = rule.update(ops, state, [pass(given, step)]);
          ops.dispose(given);
          if (before !== from) disposeState(ops, before);
        }
        return state;
      };
      const half = await run(await rule.init(ops, tensors(ops, { w: initial })), [0, 1, 2, 3]);
      const whole = await allValues(ops, (await run(half, [4, 5, 6, 7])).tensors);
      expect(await allValues(ops, (await run(await reloaded(ops, half, ops), [4, 5, 6, 7])).tensors)).toEqual(whole);
    },
  );

  it('needs no keys where nothing is rounded stochastically', async () => {
    const ops = testOperations();
    const rule = adamw({ weightFormat: 'bf16', momentFormat: 'companded8', errorFeedback: true });
    const state = await rule.init(ops, tensors(ops, { w: [1, 2] }));
    expect(rule.update(ops, state, [{ gradients: tensors(ops, { w: [1, 2] }) } as never]).step).toBe(1);
  });
});
