import * as tf from '@tensorflow/tfjs-core';
import { beforeEach, describe, expect, it } from 'vitest';
import { engines, expectClose, onEngine, tensor } from '../test/support.js';
import { roundedConv2d } from './convolution.js';
import type { ConvolutionOptions } from './convolution-plan.js';
import { resolvePrecision } from './precision.js';

const precision = resolvePrecision('test', 'mxfp6_e3m2');

describe.each(engines)('roundedConv2d on %s', (engine) => {
  beforeEach(() => onEngine(engine));

  it.each<ConvolutionOptions>([
    { strides: [1, 1], padding: 'valid', dilations: [1, 1] },
    { strides: [2, 3], padding: 'same', dilations: [1, 1] },
    { strides: [1, 1], padding: 'same', dilations: [2, 3] },
    { strides: [3, 2], padding: 'valid', dilations: [1, 1] },
  ])('is the same by the engine’s operations as by loops over its memory: %o', (options) => {
    const x = tensor([2, 9, 8, 3], 2) as tf.Tensor4D;
    const w = tensor([3, 2, 3, 4], 3) as tf.Tensor4D;
    const [loops, composed] = [true, false].map((onHost) =>
      tf.tidy(() => {
        const convolve = (a: tf.Tensor, b: tf.Tensor) =>
          roundedConv2d(a as tf.Tensor4D, b as tf.Tensor4D, precision, { ...options, onHost });
        const y = convolve(x, w);
        const dy = tensor(y.shape, 4) as tf.Tensor4D;
        const { value, grads } = tf.valueAndGrads((a: tf.Tensor, b: tf.Tensor) => convolve(a, b))([x, w], dy);
        return [value, ...grads].map((result) => result.dataSync().slice());
      }),
    ) as [Float32Array[], Float32Array[]];
    expect(loops.map(({ length }) => length)).toEqual(composed.map(({ length }) => length));
    for (const [index, values] of loops.entries()) expectClose(values, composed[index]!, 1e-5, 1e-5);
    tf.dispose([x, w]);
  });
});
