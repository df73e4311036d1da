import { createReferenceBackend } from '@lmd/backends/reference';
import {
  adamw,
  clipByGlobalNorm,
  createOperations,
  type LmdOptions,
  lmd,
  type Optimizer,
  parameterGroups,
} from '@lmd/core';
import { describe, expect, it } from 'vitest';
import { base, keepSnapshots, outcome, rejection, signDescent } from '../test/small-run.js';
import { f32, tinyMlp } from '../test/tiny-mlp.js';
import { train } from './index.js';

const model = () => tinyMlp(2, 64, 2, 0.1);
const grouped = (options: LmdOptions = {}) =>
  clipByGlobalNorm(
    parameterGroups([
      { match: /weight$/, optimizer: lmd(options) },
      { match: '*', optimizer: adamw({ learningRate: 0.01 }) },
    ]),
    0.5,
  );

describe('updateInPlace', () => {
  it.each<[string, () => Optimizer]>([
    ['lmd and adamw in groups, clipped, two draws', () => grouped({ samples: 2 })],
    ['lmd with lean state', () => grouped({ stateFormat: 'block16' })],
    ['adamw', () => adamw({ learningRate: 0.01 })],
    ['a rule that never says what it has used', signDescent],
  ])('gives the same bits in less memory: %s', async (_, optimizer) => {
    const options = () => ({ ...base(), model: model(), backend: createReferenceBackend(), optimizer: optimizer() });
    const [apart, together] = [await outcome(options()), await outcome({ ...options(), updateInPlace: true })];
    expect(together.tensors).toEqual(apart.tensors);
    expect(together.result.loss).toBe(apart.result.loss);
    expect(together.result.peakMemoryBytes).toBeLessThanOrEqual(apart.result.peakMemoryBytes);
  });

  it('never holds two states', async () => {
    const ops = createOperations(createReferenceBackend());
    const wide = tinyMlp(2, 4096, 2, 0.1);
    const peak = async (updateInPlace: boolean) => {
      const options = { ...base(), backend: undefined, ops, model: wide, steps: 2, batchSize: 1, updateInPlace };
      const result = await train({ ...options, optimizer: grouped() });
      const stateSize = Object.values(result.state.tensors).reduce(
        (sum, { shape }) => sum + 4 * shape.reduce((a, b) => a * b, 1),
        0,
      );
      result.dispose();
      return { peakBytes: result.peakMemoryBytes, stateSize };
    };
    const [apart, together] = [await peak(false), await peak(true)];
    expect(apart.peakBytes - together.peakBytes).toBeGreaterThan(apart.stateSize / 4);
  });

  const failed = async (options: object) => {
    const backend = createReferenceBackend();
    const saver = keepSnapshots();
    const run = { ...base(), model: model(), updateInPlace: true, backend, plugins: [saver], ...options };
    const error = (await rejection(train(run))) as Error;
    expect(backend.memory().tensors).toBe(0);
    return { error, saved: saver.last };
  };

  it('keeps the state before a step whose loss is not finite', async () => {
    const { error, saved } = await failed({
      model: {
        ...model(),
        forward: (...[ops, weights, x, context]: Parameters<ReturnType<typeof model>['forward']>) => {
          const logits = model().forward(ops, weights, x, context);
          return context.key.step < 3 ? logits : ops.multiply(logits, Number.NaN);
        },
      },
    });
    expect(error.message).toMatch(/In step 4, loss is NaN at element 0/);
    expect(saved.step).toBe(3);
  });

  it('names a state that is not finite after the update, and saves none', async () => {
    const { error, saved } = await failed({ optimizer: adamw({ learningRate: (step) => (step < 2 ? 0.01 : 3e38) }) });
    expect(error.message).toMatch(/In step 3, updated state hidden\.weight\/weight is -?Infinity/);
    expect(saved.step).toBe(2);
  });

  it('frees everything where the rule fails in the middle', async () => {
    const rule = adamw();
    const { error } = await failed({
      optimizer: {
        ...rule,
        update: (...[ops, state, passes, done]: Parameters<Optimizer['update']>) =>
          rule.update(ops, state, passes, (weight) => {
            done?.(weight);
            throw new Error('a fault of the rule');
          }),
      },
    });
    expect(error.message).toBe('a fault of the rule');
  });

  it('refuses what is neither true nor false', async () => {
    const error = await rejection(train({ ...base(), precision: f32, updateInPlace: 'yes' as unknown as boolean }));
    expect(error).toMatchObject({ code: 'INVALID_ARGUMENT', subject: 'updateInPlace' });
  });
});
