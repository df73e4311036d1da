import { valueAndGradients } from '@lmd/autograd';
import { type ForwardContext, type NamedTensors, type Operations, sizeOf, type Tensor } from '@lmd/core';
import { describe, expect, it } from 'vitest';
import { referenceVit } from '../test/reference-vit.js';
import { arraysOf, errorOf, expectFiniteDifferences, key, randomTensor, reference, stirred } from '../test/support.js';
import { fullPrecision, precisionPreset, type VitConfig, vit, vitPreset } from './index.js';
import { resolveVitConfig } from './vit-config.js';

const small: VitConfig = {
  imageSize: 8,
  channels: 2,
  patchSize: 4,
  width: 8,
  depth: 2,
  heads: 2,
  mlpWidth: 12,
  classes: 3,
};
const context: ForwardContext = { training: true, precision: fullPrecision, key };

describe('vit', () => {
  it.each([
    { pooling: 'classToken', gelu: 'none' },
    { pooling: 'mean', gelu: 'tanh' },
  ] as const)('equals an independent implementation in float64 ($pooling pooling, gelu $gelu)', (options) => {
    const { ops, read } = reference('f64');
    const config = { ...small, ...options };
    const model = vit(config);
    const weights = stirred(ops, model.initialize(ops, 7));
    const images = randomTensor(ops, [3, 8, 8, 2], 1);
    const logits = model.forward(ops, weights, images, context);
    expect(logits.shape).toEqual([3, 3]);
    const pixels = read(images);
    const expected = [0, 1, 2].flatMap((i) =>
      referenceVit(resolveVitConfig(config), arraysOf(weights, read), pixels.subarray(i * 128, (i + 1) * 128)),
    );
    read(logits).forEach((logit, i) => {
      expect(Math.abs(logit - expected[i]!)).toBeLessThan(1e-12);
    });
  });

  it.each(['classToken', 'mean'] as const)('has the gradient that finite differences have (%s pooling)', (pooling) => {
    const { ops, read } = reference('f64');
    const model = vit({ ...small, pooling });
    const weights = stirred(ops, model.initialize(ops, 7));
    const images = randomTensor(ops, [2, 8, 8, 2], 1);
    const labels = ops.fromData(Int32Array.of(2, 0));
    const loss = (o: Operations, w: NamedTensors): Tensor =>
      o.mean(o.crossEntropy(model.forward(o, w, images, context), labels));
    expectFiniteDifferences({ ops, read }, weights, loss);
  });

  it('has the gradient that finite differences have, with dropout and stochastic depth', () => {
    const { ops, read } = reference('f64');
    const model = vit({ ...small, dropout: 0.2, attentionDropout: 0.2, stochasticDepth: 0.4 });
    const weights = stirred(ops, model.initialize(ops, 7));
    const images = randomTensor(ops, [4, 8, 8, 2], 1);
    const labels = ops.fromData(Int32Array.of(2, 0, 1, 1));
    const logits = (change: Partial<ForwardContext>) =>
      read(model.forward(ops, weights, images, { ...context, ...change }));
    expect(logits({})).not.toEqual(logits({ key: { ...key, step: 9 } }));
    expect(logits({ training: false })).toEqual(logits({ training: false, key: { ...key, step: 9 } }));
    expectFiniteDifferences({ ops, read }, weights, (o, w) =>
      o.mean(o.crossEntropy(model.forward(o, w, images, context), labels)),
    );
  });

  it('has exactly the published numbers of parameters', () => {
    const count = (name: string) =>
      Object.values(vit(vitPreset(name)).parameters).reduce((sum, { shape }) => sum + sizeOf(shape), 0);
    // timm, at 224 pixels and 1000 classes.
    expect(count('Ti/16')).toBe(5_717_416);
    expect(count('S/16')).toBe(22_050_664);
    expect(count('B/16')).toBe(86_567_656);
    expect(count('B/32')).toBe(88_224_232);
    expect(count('L/16')).toBe(304_326_632);
    expect(count('H/14')).toBe(632_045_800);
    expect(count('tiny')).toBeGreaterThan(100_000);
    expect(count('tiny')).toBeLessThan(200_000);
  });

  it('initialises from the seed and the name alone', () => {
    const { ops, read } = reference('f32');
    const model = vit(small);
    const weights = arraysOf(model.initialize(ops, 3), read);
    expect(Object.keys(weights)).toEqual(Object.keys(model.parameters));
    expect(arraysOf(model.initialize(ops, 3), read)).toEqual(weights);
    const shorter = arraysOf(vit({ ...small, depth: 1, pooling: 'mean' }).initialize(ops, 3), read);
    for (const name of ['patchEmbedding.weight', 'blocks.0.mlp.up.weight', 'head.weight']) {
      expect(shorter[name]).toEqual(weights[name]);
    }
    const other = arraysOf(model.initialize(ops, 4), read);
    for (const [name, { values }] of Object.entries(weights)) {
      if (name.endsWith('.bias')) expect(values.every((value) => value === 0)).toBe(true);
      else if (name.endsWith('.gain')) expect(values.every((value) => value === 1)).toBe(true);
      else {
        expect(
          values.every((value) => value !== 0),
          name,
        ).toBe(true);
        expect(other[name]!.values).not.toEqual(values);
      }
    }
    const up = arraysOf(vit(vitPreset('tiny')).initialize(ops, 1), read)['blocks.0.mlp.up.weight']!.values;
    const variance = up.reduce((sum, value) => sum + value * value, 0) / up.length;
    expect(variance * 64).toBeGreaterThan(0.95);
    expect(variance * 64).toBeLessThan(1.05);
  });

  it.each(['fp32', 'bf16', 'mxfp6_e3m2', 'mxfp4_e2m1'])('leaves nothing behind in %s', (name) => {
    const { ops } = reference('f32');
    const model = vit(small);
    const weights = model.initialize(ops, 7);
    const images = randomTensor(ops, [2, 8, 8, 2], 1);
    const labels = ops.fromData(Int32Array.of(2, 0));
    const before = ops.memory().tensors;
    const precise = { ...context, precision: precisionPreset(name) };
    const { value, gradients } = valueAndGradients(ops, weights, (o, w) =>
      o.mean(o.crossEntropy(model.forward(o, w, images, precise), labels)),
    );
    ops.dispose(value);
    ops.dispose(gradients);
    expect(ops.memory().tensors).toBe(before);
    ops.dispose(model.forward(ops, weights, images, precise));
    expect(ops.memory().tensors).toBe(before);
  });

  it('rounds patch embedding and head with the rest, or leaves them in f32', () => {
    const { ops, read } = reference('f32');
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
    const precise = { ...context, precision: precisionPreset('mxfp6_e3m2') };
    const productsOf = (quantizeEmbeddingAndHead: boolean) => {
      const model = vit({ ...small, quantizeEmbeddingAndHead });
      rounded.length = 0;
      const weights = model.initialize(ops, 7);
      const logits = model.forward(spy, weights, randomTensor(ops, [2, 8, 8, 2], 1), precise);
      return { rounded: [...rounded], logits: read(logits) };
    };
    const all = productsOf(true);
    const inner = productsOf(false);
    // Two operands for each of qkv, scores, values, projection, up and down in two blocks; and of the two at the edges.
    expect(inner.rounded.length).toBe(2 * 6 * 2);
    expect(all.rounded.length).toBe(2 * 6 * 2 + 2 * 2);
    expect(inner.rounded).not.toContain('32×8');
    expect(all.rounded).toContain('32×8');
    expect(all.logits).not.toEqual(inner.logits);
  });

  it('frees what a block does not need before the next one begins', () => {
    const { ops } = reference('f32');
    const peak = (depth: number) => {
      const model = vit({ ...small, depth, width: 32, mlpWidth: 128 });
      return ops.scope(() => {
        const weights = model.initialize(ops, 1);
        const images = ops.zeros([8, 8, 8, 2]);
        ops.resetPeakMemory();
        const before = ops.memory().bytes;
        model.forward(ops, weights, images, context);
        return ops.memory().peakBytes - before;
      });
    };
    expect(peak(6)).toBe(peak(1));
  });

  it.each(['classToken', 'mean'] as const)('has features whose product with the head is the logits: %s', (pooling) => {
    const { ops, read } = reference('f64');
    const model = vit({ ...small, pooling });
    const weights = stirred(ops, model.initialize(ops, 7));
    const images = randomTensor(ops, [3, 8, 8, 2], 1);
    const features = model.features(ops, weights, images, context);
    expect(features.shape).toEqual([3, 8]);
    const logits = ops.add(ops.matmul(features, weights['head.weight']!), weights['head.bias']!);
    expect(read(logits)).toEqual(read(model.forward(ops, weights, images, context)));
  });

  it('names what is wrong with weights, images and configurations', () => {
    const { ops } = reference('f32');
    const model = vit(small);
    const weights = model.initialize(ops, 1);
    const images = ops.zeros([1, 8, 8, 2]);
    const { 'head.bias': _, ...incomplete } = weights;
    expect(errorOf(() => model.forward(ops, incomplete, images, context))).toMatchObject({
      code: 'INVALID_ARGUMENT',
      subject: 'head.bias',
    });
    expect(
      errorOf(() => model.forward(ops, { ...weights, 'head.bias': ops.zeros([4]) }, images, context)),
    ).toMatchObject({ code: 'SHAPE_MISMATCH', subject: 'head.bias' });
    expect(errorOf(() => model.forward(ops, weights, ops.zeros([1, 8, 8, 3]), context))).toMatchObject({
      code: 'SHAPE_MISMATCH',
      subject: 'images',
    });
    for (const [change, code, subject] of [
      [{ patchSize: 3 }, 'INVALID_ARGUMENT', 'patchSize'],
      [{ heads: 3 }, 'INVALID_ARGUMENT', 'heads'],
      [{ depth: 0 }, 'INVALID_ARGUMENT', 'depth'],
      [{ width: 8.5 }, 'INVALID_ARGUMENT', 'width'],
      [{ layerNormEpsilon: 0 }, 'INVALID_ARGUMENT', 'layerNormEpsilon'],
      [{ pooling: 'max' }, 'INVALID_ARGUMENT', 'pooling'],
      [{ dropout: 1 }, 'INVALID_ARGUMENT', 'dropout'],
      [{ stochasticDepth: -0.1 }, 'INVALID_ARGUMENT', 'stochasticDepth'],
      [{ window: 7 }, 'UNKNOWN_OPTION', 'window'],
    ] as const) {
      expect(errorOf(() => vit({ ...small, ...(change as Partial<VitConfig>) }))).toMatchObject({ code, subject });
    }
    expect(errorOf(() => vitPreset('XXL/1'))).toMatchObject({ code: 'INVALID_ARGUMENT', subject: 'preset' });
  });
});
