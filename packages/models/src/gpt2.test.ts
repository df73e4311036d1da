import { valueAndGradients } from '@lmd/autograd';
import {
  adamw,
  type ForwardContext,
  lmd,
  type NamedTensors,
  type Operations,
  parameterGroups,
  sizeOf,
} from '@lmd/core';
import { describe, expect, it } from 'vitest';
import { referenceGpt2 } from '../test/reference-gpt2.js';
import {
  arraysOf,
  cpu,
  errorOf,
  expectFiniteDifferences,
  key,
  randomTensor,
  reference,
  stirred,
} from '../test/support.js';
import {
  fullPrecision,
  type Gpt2Config,
  generate,
  gpt2,
  gpt2Preset,
  languageModelLoss,
  lmdParameter,
  precisionPreset,
} from './index.js';

const small: Gpt2Config = { vocabularySize: 11, contextLength: 6, width: 8, depth: 2, heads: 2, mlpWidth: 12 };
const context: ForwardContext = { training: true, precision: fullPrecision, key };
const sequences = [
  [3, 1, 4, 1, 5],
  [9, 2, 6, 5, 10],
];

function setUp(storage: 'f32' | 'f64', config: Partial<Gpt2Config> = {}) {
  const { ops, read } = reference(storage);
  const model = gpt2({ ...small, ...config });
  const weights = stirred(ops, model.initialize(ops, 7));
  const tokens = ops.fromData(Int32Array.from(sequences.flat()), [2, 5]);
  const targets = ops.fromData(Int32Array.of(1, 4, 1, 5, 9, 2, 6, 5, 10, -1), [2, 5]);
  const lossIn = (precise: ForwardContext) => (o: Operations, w: NamedTensors) =>
    languageModelLoss(o, model.forward(o, w, tokens, precise), targets);
  return { ops, read, model, weights, tokens, targets, lossIn };
}

describe('gpt2', () => {
  it('equals an independent implementation in float64', () => {
    const { ops, read, model, weights, tokens } = setUp('f64');
    const logits = model.forward(ops, weights, tokens, context);
    expect(logits.shape).toEqual([2, 5, 11]);
    const expected = sequences.flatMap((s) => referenceGpt2(model.config, arraysOf(weights, read), s)).flat();
    read(logits).forEach((logit, i) => {
      expect(Math.abs(logit - expected[i]!)).toBeLessThan(1e-12);
    });
  });

  it('has the gradient that finite differences have, with dropout too', () => {
    for (const config of [{}, { dropout: 0.3, attentionDropout: 0.2 }]) {
      const { ops, read, weights, lossIn } = setUp('f64', config);
      expectFiniteDifferences({ ops, read }, weights, lossIn(context));
    }
  });

  it('hears no later token, fused and composed', () => {
    for (const precision of [fullPrecision, precisionPreset('bf16')]) {
      const { ops, read, model, weights, tokens } = setUp('f64');
      const changed = ops.fromData(Int32Array.of(3, 1, 4, 7, 0, 9, 2, 6, 8, 8), [2, 5]);
      const logitsOf = (x: typeof tokens) => read(model.forward(ops, weights, x, { ...context, precision }));
      const [a, b] = [logitsOf(tokens), logitsOf(changed)];
      for (const start of [0, 5 * 11]) {
        expect(a.subarray(start, start + 3 * 11)).toEqual(b.subarray(start, start + 3 * 11));
        expect(a.subarray(start + 3 * 11, start + 4 * 11)).not.toEqual(b.subarray(start + 3 * 11, start + 4 * 11));
      }
    }
  });

  it('composes the same attention from products as the fused kernel', () => {
    const { ops, read, model, weights, tokens } = setUp('f64');
    // A backward precision that rounds nothing forward, but takes the composed path.
    const precision = { ...fullPrecision, backward: { ...fullPrecision.backward, gradients: 'bf16' as const } };
    const fused = read(model.forward(ops, weights, tokens, context));
    read(model.forward(ops, weights, tokens, { ...context, precision })).forEach((logit, i) => {
      expect(Math.abs(logit - fused[i]!)).toBeLessThan(1e-12);
    });
  });

  it('has exactly the published numbers of parameters', () => {
    const count = (name: string) =>
      Object.values(gpt2(gpt2Preset(name)).parameters).reduce((sum, { shape }) => sum + sizeOf(shape), 0);
    // transformers, with the tied embedding counted once.
    expect(count('124M')).toBe(124_439_808);
    expect(count('355M')).toBe(354_823_168);
    expect(count('774M')).toBe(774_030_080);
    expect(count('1558M')).toBe(1_557_611_200);
    expect(gpt2(gpt2Preset('nano')).name).toBe('gpt2-384x6');
  });

  it('begins as the published models did', () => {
    const { ops, read } = reference('f32');
    const model = gpt2({ vocabularySize: 500, contextLength: 50, width: 32, depth: 8, heads: 4 });
    const weights = arraysOf(model.initialize(ops, 1), read);
    expect(Object.keys(weights)).toEqual(Object.keys(model.parameters));
    const deviation = (name: string) => {
      const { values } = weights[name]!;
      return Math.sqrt(values.reduce((sum, x) => sum + x * x, 0) / values.length);
    };
    for (const name of ['tokenEmbedding.weight', 'blocks.3.attention.qkv.weight', 'blocks.7.mlp.up.weight']) {
      expect(deviation(name) / 0.02).toBeCloseTo(1, 1);
    }
    for (const name of ['blocks.3.attention.projection.weight', 'blocks.7.mlp.down.weight']) {
      expect((deviation(name) * 4) / 0.02, name).toBeCloseTo(1, 1);
    }
    expect(weights['norm.gain']!.values.every((x) => x === 1)).toBe(true);
    expect(weights['blocks.0.mlp.up.bias']!.values.every((x) => x === 0)).toBe(true);
  });

  it.each(['fp32', 'bf16', 'mxfp6_e3m2', 'mxfp4_e2m1'])('leaves nothing behind in %s, with dropout', (name) => {
    const { ops, model, weights, tokens, lossIn } = setUp('f32', { dropout: 0.1, attentionDropout: 0.1 });
    const before = ops.memory().tensors;
    const precise = { ...context, precision: precisionPreset(name) };
    const { value, gradients } = valueAndGradients(ops, weights, lossIn(precise));
    ops.dispose(value);
    ops.dispose(gradients);
    expect(ops.memory().tensors).toBe(before);
    ops.dispose(model.forward(ops, weights, tokens, precise));
    expect(ops.memory().tensors).toBe(before);
  });

  it('rounds the head with the rest, or leaves it in f32', () => {
    const { ops, read } = reference('f32');
    const products = (quantizeHead: boolean) => {
      const rounded: string[] = [];
      const spy: Operations = {
        ...ops,
        fakeQuantize(x, options) {
          rounded.push(x.shape.join('×'));
          return ops.fakeQuantize(x, options);
        },
        encodeOperand(x, options) {
          rounded.push(x.shape.join('×'));
          return ops.encodeOperand(x, options);
        },
        customGradient: (inputs, gradient) => gradient.forward(spy, inputs, () => {}),
      };
      const model = gpt2({ ...small, quantizeHead });
      const tokens = ops.fromData(Int32Array.from(sequences.flat()), [2, 5]);
      const precise = { ...context, precision: precisionPreset('mxfp6_e3m2') };
      const logits = model.forward(spy, stirred(ops, model.initialize(ops, 7)), tokens, precise);
      return { rounded, logits: read(logits) };
    };
    const [all, inner] = [products(true), products(false)];
    // Two operands for each of qkv, scores, values, projection, up and down in two blocks; and of the head.
    expect(all.rounded).toHaveLength(2 * 6 * 2 + 2);
    expect(all.rounded).toContain('11×8');
    expect(inner.rounded).toHaveLength(2 * 6 * 2);
    expect(inner.rounded).not.toContain('11×8');
    expect(inner.logits).not.toEqual(all.logits);
  });

  it('drops out in training alone, by the key alone', () => {
    const { ops, read, model, weights, tokens } = setUp('f32', { dropout: 0.3 });
    const logits = (change: Partial<ForwardContext>) =>
      read(model.forward(ops, weights, tokens, { ...context, ...change }));
    expect(logits({})).toEqual(logits({}));
    expect(logits({})).not.toEqual(logits({ key: { ...key, sample: 4 } }));
    expect(logits({ training: false })).toEqual(logits({ training: false, key: { ...key, sample: 4 } }));
    expect(logits({ training: false })).not.toEqual(logits({}));
  });

  it('learns a cycle with LMD, in MXFP6 and with dropout, and goes on with it', async () => {
    const { ops, read } = await cpu();
    const model = gpt2({ vocabularySize: 7, contextLength: 14, width: 32, depth: 1, heads: 2, dropout: 0.05 });
    const cycle = [0, 3, 1, 6, 2, 5, 4];
    const at = (i: number): number => cycle[i % 7]!;
    const rows = Array.from({ length: 4 }, (_, row) => Array.from({ length: 13 }, (__, i) => row + i)).flat();
    const tokens = ops.fromData(Int32Array.from(rows, at), [4, 13]);
    const targets = ops.fromData(
      Int32Array.from(rows, (i) => at(i + 1)),
      [4, 13],
    );
    const precision = precisionPreset('mxfp6_e3m2');
    const optimizer = parameterGroups([
      {
        match: lmdParameter,
        optimizer: lmd({ learningRate: 0.03, regularization: 0.5, noise: 0.05, priorMedianFloor: 0.5 }),
      },
      { match: '*', optimizer: adamw({ learningRate: 0.01 }) },
    ]);
    let state = await optimizer.init(ops, model.initialize(ops, 1));
    const losses: number[] = [];
    for (let step = 0; step < 100; step++) {
      const at = { seed: 1, step, sample: 0 };
      const weights = optimizer.draw(ops, state, at);
      const { value, gradients } = valueAndGradients(ops, weights, (o, w) =>
        languageModelLoss(o, model.forward(o, w, tokens, { training: true, precision, key: at }), targets),
      );
      losses.push((await read(value))[0]!);
      state = optimizer.update(ops, state, [{ key: at, gradients }]);
    }
    expect(losses[0]).toBeGreaterThan(1.8);
    expect(losses.at(-1)).toBeLessThan(0.7);
    const text: number[] = [];
    const weights = optimizer.weights(ops, state, 'mean');
    for await (const token of generate({
      ops,
      model,
      weights,
      prompt: [3, 1, 6],
      temperature: 0,
      maxTokens: 9,
      precision,
    })) {
      text.push(token);
    }
    expect(text).toEqual(Array.from({ length: 9 }, (_, i) => at(i + 4)));
  });

  it('refuses what does not fit', () => {
    const { ops, model, weights } = setUp('f32');
    const forward = (tokens: ReturnType<typeof randomTensor>, w = weights) =>
      errorOf(() => model.forward(ops, w, tokens, context));
    expect(forward(ops.zeros([1, 7], 'i32'))).toMatchObject({ code: 'SHAPE_MISMATCH', subject: 'tokens' });
    expect(forward(ops.zeros([6], 'i32'))).toMatchObject({ code: 'SHAPE_MISMATCH', subject: 'tokens' });
    expect(forward(ops.zeros([1, 5]))).toMatchObject({ code: 'DTYPE_MISMATCH', subject: 'tokens' });
    const { positionEmbedding, ...rest } = weights;
    expect(positionEmbedding!.shape).toEqual([6, 8]);
    expect(forward(ops.zeros([1, 5], 'i32'), rest)).toMatchObject({ subject: 'positionEmbedding' });
    for (const [change, code, subject] of [
      [{ heads: 3 }, 'INVALID_ARGUMENT', 'heads'],
      [{ contextLength: 0 }, 'INVALID_ARGUMENT', 'contextLength'],
      [{ dropout: 1 }, 'INVALID_ARGUMENT', 'dropout'],
      [{ gelu: 'relu' }, 'INVALID_ARGUMENT', 'gelu'],
      [{ layers: 2 }, 'UNKNOWN_OPTION', 'layers'],
    ] as const) {
      expect(errorOf(() => gpt2({ ...small, ...(change as Partial<Gpt2Config>) }))).toMatchObject({ code, subject });
    }
    expect(errorOf(() => gpt2Preset('13B'))).toMatchObject({ code: 'INVALID_ARGUMENT', subject: 'preset' });
  });
});

describe('languageModelLoss', () => {
  it('is the mean cross-entropy of the targets that are not negative', () => {
    const { ops, read } = reference('f64');
    const logits = randomTensor(ops, [2, 2, 5], 1);
    const loss = (targets: number[]) =>
      read(languageModelLoss(ops, logits, ops.fromData(Int32Array.from(targets), [2, 2])))[0]!;
    const x = read(logits);
    const nll = (row: number, label: number) => {
      const values = [...x.subarray(row * 5, row * 5 + 5)];
      return Math.log(values.reduce((sum, v) => sum + Math.exp(v), 0)) - values[label]!;
    };
    expect(loss([1, 2, 3, 4])).toBeCloseTo((nll(0, 1) + nll(1, 2) + nll(2, 3) + nll(3, 4)) / 4, 12);
    expect(loss([1, -1, -1, 4])).toBeCloseTo((nll(0, 1) + nll(3, 4)) / 2, 12);
    expect(loss([-1, -1, -1, -1])).toBe(0);
    expect(loss([1, 2, 3, 5])).toBeNaN();
    expect(errorOf(() => languageModelLoss(ops, logits, ops.zeros([4], 'i32')))).toMatchObject({
      code: 'SHAPE_MISMATCH',
      subject: 'targets',
    });
  });
});
