import { isLmdError } from '@lmd/core';
import { fakeQuantize, roundToBfloat16 } from '@lmd/mx-formats';
import * as tf from '@tensorflow/tfjs-core';
import { initializers, layers, models, sequential } from '@tensorflow/tfjs-layers';
import { beforeEach, describe, expect, it } from 'vitest';
import { counts, engines, errorOf, expectClose, onEngine, onGpu, read, readAll, tensor } from '../test/support.js';
import { type LayerPrecision, LMDOptimizer, mxConv2d, mxDense } from './index.js';

const kernelInitializer = () => initializers.randomNormal({ seed: 3, stddev: 0.3 });

describe.each(engines)('layers on %s', (engine) => {
  beforeEach(() => onEngine(engine));

  it('mxDense is the product of operands rounded along the features, with straight-through gradients', async () => {
    const before = counts();
    const layer = mxDense({ units: 5, inputShape: [40], kernelInitializer: kernelInitializer(), useBias: false });
    const x = tensor([6, 40], 4) as tf.Tensor2D;
    const y = layer.apply(x) as tf.Tensor2D;
    const kernel = layer.getWeights()[0] as tf.Tensor2D;
    const format = 'mxfp6_e3m2';
    const xq = tf.tensor2d(fakeQuantize(await read(x), { format, shape: [6, 40], axis: 1 }), [6, 40]);
    const wq = tf.tensor2d(fakeQuantize(await read(kernel), { format, shape: [40, 5], axis: 0 }), [40, 5]);
    const [expected] = await readAll([tf.matMul(xq, wq)]);
    expectClose(await read(y), expected!);

    const dy = tensor([6, 5], 6) as tf.Tensor2D;
    const dyRounded = tf.tensor2d(roundToBfloat16(await read(dy)), [6, 5]);
    const gradients = tf.tidy(() => {
      const loss = (value: tf.Tensor) => tf.sum(tf.mul(layer.apply(value) as tf.Tensor, dy)) as tf.Scalar;
      const { grads } = tf.variableGrads(
        () => loss(x),
        layer.trainableWeights.map((weight) => weight.read() as tf.Variable),
      );
      const dw = Object.values(grads)[0]!;
      return [tf.grad(loss)(x), tf.matMul(dyRounded, wq, false, true), dw, tf.matMul(xq, dyRounded, true, false)];
    });
    const [dx, wantedDx, dw, wantedDw] = await readAll(gradients);
    expectClose(dx!, wantedDx!);
    expectClose(dw!, wantedDw!);
    tf.dispose([x, y, xq, wq, dy, dyRounded]);
    layer.dispose();
    expect(counts()).toEqual(before);
  });

  it.each([
    ['fp32', 'valid', 1, 1],
    ['fp32', 'same', [2, 3], 1],
    ['fp32', 'valid', 1, [2, 1]],
    ['mxfp6_e3m2', 'same', 1, 1],
    ['mxfp4_e2m1', 'valid', 2, 1],
  ] as const)(
    'mxConv2d is the convolution of operands rounded along a patch: %s, %s, strides %s, dilation %s',
    async (format, padding, strides, dilationRate) => {
      const args = {
        filters: 4,
        kernelSize: [3, 2] as [number, number],
        padding,
        strides: strides as number,
        dilationRate: dilationRate as number,
        kernelInitializer: kernelInitializer(),
        biasInitializer: 'ones' as const,
      };
      const layer = mxConv2d({ ...args, precision: format });
      const plain = layers.conv2d(args);
      const x = tensor([2, 7, 8, 5], 4) as tf.Tensor4D;
      const y = layer.apply(x) as tf.Tensor4D;
      const kernel = layer.getWeights()[0] as tf.Tensor4D;
      expect(layer.computeOutputShape(x.shape)).toEqual(y.shape);
      if (format === 'fp32') {
        const expected = plain.apply(x) as tf.Tensor;
        plain.setWeights(layer.getWeights());
        const [again] = await readAll([plain.apply(x) as tf.Tensor]);
        expectClose(await read(y), again!, 1e-4);
        expected.dispose();
      }
      // Each output by itself: its patch, rounded, times the kernel, rounded.
      const [sy, sx] = [strides, strides].map((s, i) => (typeof s === 'number' ? s : s[i]!)) as [number, number];
      const [ry, rx] = [dilationRate, dilationRate].map((d, i) => (typeof d === 'number' ? d : d[i]!)) as [
        number,
        number,
      ];
      const [, height, width] = y.shape;
      const total = (out: number, s: number, k: number, d: number, size: number) =>
        padding === 'same' ? Math.max(0, (out - 1) * s + (k - 1) * d + 1 - size) : 0;
      const top = Math.floor(total(height, sy, 3, ry, 7) / 2);
      const left = Math.floor(total(width, sx, 2, rx, 8) / 2);
      const pixels = await x.array();
      const round = (values: Float32Array, shape: number[], axis: number) =>
        format === 'fp32' ? values : fakeQuantize(values, { format, shape, axis });
      const weights = round(await read(kernel), [30, 4], 0);
      const expected: number[] = [];
      for (let b = 0; b < 2; b++)
        for (let i = 0; i < height; i++)
          for (let j = 0; j < width; j++) {
            const patch: number[] = [];
            for (let ky = 0; ky < 3; ky++)
              for (let kx = 0; kx < 2; kx++)
                for (let c = 0; c < 5; c++)
                  patch.push(pixels[b]?.[i * sy + ky * ry - top]?.[j * sx + kx * rx - left]?.[c] ?? 0);
            const rounded = round(Float32Array.from(patch), [30], 0);
            for (let f = 0; f < 4; f++)
              expected.push(rounded.reduce((sum, value, k) => sum + value * weights[4 * k + f]!, 1));
          }
      expectClose(await read(y), expected, 1e-4, 1e-5);
      tf.dispose([x, y]);
      layer.dispose();
      if (plain.built) plain.dispose();
    },
  );

  it.each([
    ['valid', 1, 1],
    ['same', 2, 1],
    ['same', [3, 1], 1],
    ['valid', 1, 2],
  ] as const)(
    'mxConv2d has the gradients of the convolution: %s, strides %s, dilation %s',
    async (padding, strides, dilationRate) => {
      const before = counts();
      const layer = mxConv2d({
        filters: 3,
        kernelSize: 3,
        padding,
        strides: strides as number,
        dilationRate,
        precision: 'fp32',
        useBias: false,
        kernelInitializer: kernelInitializer(),
      });
      const x = tensor([2, 6, 7, 2], 5) as tf.Tensor4D;
      const dy = tf.tidy(() => tensor((layer.apply(x) as tf.Tensor).shape, 6));
      const kernel = layer.trainableWeights[0]!.read() as tf.Variable;
      const loss = (value: tf.Tensor) =>
        tf.tidy(() => tf.sum(tf.mul(layer.apply(value) as tf.Tensor, dy)) as tf.Scalar);
      const [dx, dw] = await readAll(
        tf.tidy(() => [tf.grad(loss)(x), tf.variableGrads(() => loss(x), [kernel]).grads[kernel.name]!]),
      );
      // Linear in each: a difference over a step of 1 is the derivative.
      const lossAt = (change: tf.Tensor, of: 'x' | 'w') =>
        tf.tidy(() => {
          if (of === 'x') return loss(tf.add(x, change));
          const start = tf.reshape(kernel, kernel.shape);
          kernel.assign(tf.add(kernel, change));
          const value = loss(x);
          kernel.assign(start);
          return value;
        });
      const [start] = await readAll([loss(x)]);
      for (const [of, gradient, shape] of [
        ['x', dx!, x.shape],
        ['w', dw!, kernel.shape],
      ] as const) {
        for (let index = 0; index < gradient.length; index += onGpu(engine) ? 25 : 5) {
          const unit = new Float32Array(gradient.length);
          unit[index] = 1;
          const change = tf.tensor(unit, [...shape]);
          const [moved] = await readAll([lossAt(change, of)]);
          expect(moved![0]! - start![0]!).toBeCloseTo(gradient[index]!, 3);
          change.dispose();
        }
      }
      tf.dispose([x, dy]);
      layer.dispose();
      expect(counts()).toEqual(before);
    },
  );

  it('mxConv2d takes channels first', async () => {
    const args = { filters: 2, kernelSize: 3, kernelInitializer: kernelInitializer() };
    const [first, last] = [mxConv2d({ ...args, dataFormat: 'channelsFirst' }), mxConv2d(args)];
    const x = tensor([1, 5, 5, 4], 4);
    const y = last.apply(x) as tf.Tensor;
    const z = tf.tidy(() => {
      const transposed = tf.transpose(x, [0, 3, 1, 2]);
      first.apply(transposed);
      first.setWeights(last.getWeights());
      return tf.transpose(first.apply(transposed) as tf.Tensor, [0, 2, 3, 1]);
    });
    expect(await read(z)).toEqual(await read(y));
    tf.dispose([x, y, z]);
  });

  it('train in a model under LMD, with memory flat', async () => {
    const model = sequential({
      layers: [
        mxConv2d({
          filters: 4,
          kernelSize: 3,
          activation: 'relu',
          inputShape: [6, 6, 1],
          kernelInitializer: kernelInitializer(),
        }),
        layers.maxPooling2d({ poolSize: 2 }),
        layers.flatten(),
        mxDense({ units: 2, activation: 'softmax', kernelInitializer: kernelInitializer() }),
      ],
    });
    model.compile({
      optimizer: new LMDOptimizer({ learningRate: 0.02, adamw: { learningRate: 0.02 } }),
      loss: 'sparseCategoricalCrossentropy',
    });
    // Engines that cannot read at once need it.
    await (model.optimizer as LMDOptimizer).initialize(
      model.trainableWeights.map((weight) => weight.read() as tf.Variable),
    );
    const x = tf.tidy(() => tensor([32, 6, 6, 1], 4));
    const y = tf.tidy(() => tf.cast(tf.greater(tf.mean(x, [1, 2, 3]), 0), 'float32'));
    const options = { batchSize: 16, verbose: 0 as const, shuffle: false };
    const first = (await model.fit(x, y, { ...options, epochs: 1 })).history.loss![0] as number;
    const before = counts();
    const last = (await model.fit(x, y, { ...options, epochs: 25 })).history.loss!.at(-1) as number;
    expect(counts()).toEqual(before);
    expect(last).toBeLessThan(0.7 * first);
    tf.dispose([x, y]);
    model.dispose();
  });
});

describe('layers', () => {
  beforeEach(() => onEngine(engines[0]!));

  const precisions: LayerPrecision[] = [
    'mxfp6_e3m2',
    'bf16',
    { name: 'mine', element: { ...mine() }, blockSize: 16, scale: 'e8m0' },
    { weights: 'mxfp4_e2m1', activations: 'mxfp8_e4m3', gradients: 'fp32', rounding: 'towardZero', scaleMode: 'rceil' },
  ];

  it.each(precisions)('go through a file with their precision: %o', async (precision) => {
    const model = sequential({
      layers: [
        mxConv2d({ filters: 2, kernelSize: 2, inputShape: [4, 4, 3], precision, kernelRegularizer: 'l1l2' }),
        layers.flatten(),
        mxDense({ units: 3, precision, activation: 'relu' }),
      ],
    });
    const text = model.toJSON() as unknown as string;
    const copy = await models.modelFromJSON(JSON.parse(text));
    expect(copy.layers.map((layer) => layer.getClassName())).toEqual(['MXConv2D', 'Flatten', 'MXDense']);
    copy.setWeights(model.getWeights());
    const x = tensor([2, 4, 4, 3], 4);
    const [y, z] = [model.predict(x), copy.predict(x)] as [tf.Tensor, tf.Tensor];
    expect(await read(z)).toEqual(await read(y));
    expect(copy.layers[2]!.getConfig().precision).toEqual(model.layers[2]!.getConfig().precision);
    tf.dispose([x, y, z]);
  });

  it('take no number in the naming of unnamed layers', () => {
    // No layer of tfjs-layers' own was made without a name before, and this package made one of each.
    expect(layers.dense({ units: 1 }).name).toBe('dense_Dense1');
  });

  it('refuse a precision that they cannot use, by name', () => {
    const refuse = (precision: unknown, code: Parameters<typeof isLmdError>[1], message: RegExp) => {
      const error = errorOf(() => mxDense({ units: 1, precision: precision as LayerPrecision }));
      expect(isLmdError(error, code), String(error)).toBe(true);
      expect(error.message).toMatch(message);
    };
    refuse('mxfp5', 'INVALID_ARGUMENT', /mxDense: precision is "mxfp5".*mxfp4_e2m1/);
    refuse(4, 'INVALID_ARGUMENT', /precision is 4/);
    refuse({ weights: 'bf16' }, 'INVALID_ARGUMENT', /precision: activations is missing/);
    refuse({ weights: 'bf16', activations: 'bf16', gradient: 'bf16' }, 'UNKNOWN_OPTION', /no option "gradient"/);
    refuse({ weights: 'bf16', activations: 'bf16', rounding: 'stochastic' }, 'INVALID_ARGUMENT', /rounding/);
  });
});

/** E2M2: a format of nobody's. */
function mine() {
  return {
    name: 'e2m2',
    kind: 'float' as const,
    bits: 5,
    exponentBits: 2,
    mantissaBits: 2,
    bias: 1,
    emax: 2,
    emin: 0,
    largest: 7,
    hasInfinity: false,
    hasNaN: false,
  };
}
