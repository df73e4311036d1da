import * as tf from '@tensorflow/tfjs-core';
import { beforeEach, describe, expect, it } from 'vitest';
import { engines, expectClose, onEngine, readAll, tensor } from '../test/support.js';
import { roundedConv2d } from './convolution.js';
import type { ConvolutionOptions } from './convolution-plan.js';
import { resolvePrecision } from './precision.js';

const precision = resolvePrecision('test', 'mxfp6_e3m2');

// Loops need what an engine holds at once, which WebGPU does not give: what it composes, `layers.test.ts` holds to
// loops of its own.
const readable = engines.filter((engine) => engine !== 'webgpu');

describe.each(readable)('roundedConv2d on %s', (engine) => {
  beforeEach(() => onEngine(engine));

  it.each<ConvolutionOptions>([
    { strides: [1, 1], padding: 'valid', dilations: [1, 1] },
    { strides: [2, 3], padding: 'same', dilations: [1, 1] },
    { strides: [1, 1], padding: 'same', dilations: [2, 3] },
    { strides: [3, 2], padding: 'valid', dilations: [1, 1] },
  ])('is the same by the engine’s operations as by loops over its memory: %o', async (options) => {
    const x = tensor([2, 9, 8, 3], 2) as tf.Tensor4D;
    const w = tensor([3, 2, 3, 4], 3) as tf.Tensor4D;
    const results = (onHost: boolean) =>
      tf.tidy(() => {
        const convolve = (a: tf.Tensor, b: tf.Tensor) =>
          roundedConv2d(a as tf.Tensor4D, b as tf.Tensor4D, precision, { ...options, onHost });
        const y = convolve(x, w);
        const dy = tensor(y.shape, 4) as tf.Tensor4D;
        const { value, grads } = tf.valueAndGrads((a: tf.Tensor, b: tf.Tensor) => convolve(a, b))([x, w], dy);
        return [value, ...grads];
      });
    const [loops, composed] = [await readAll(results(true)), await readAll(results(false))];
    expect(loops.map(({ length }) => length)).toEqual(composed.map(({ length }) => length));
    for (const [index, values] of loops.entries()) expectClose(values, composed[index]!, 1e-5, 1e-5);
    tf.dispose([x, w]);
  });
});
