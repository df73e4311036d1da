import { isLmdError } from '@lmd/core';
import { fakeQuantize, formats } from '@lmd/mx-formats';
import { type GoldenCase, goldenCases, goldenHashes, goldenValues } from '@lmd/mx-golden';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { counts, engines, errorOf, numbers, onEngine, onGpu, readAll } from '../test/support.js';
import { type QuantizeMXOptions, quantizeMX } from './index.js';

const key = { seed: 12, stream: 3, step: 4, sample: 5 };

/** Of each data set, quantized as blocks along the last axis of 32. */
const golden: Record<GoldenCase['dataset'], Float32Array> = {
  patterns: goldenValues('patterns'),
  edges: goldenValues('edges'),
};

describe.each(engines)('quantizeMX on %s', (engine) => {
  beforeEach(() => onEngine(engine));

  if (engine === 'webgl') {
    it.skip('has the bits of the oracles: their values include NaN, infinities and subnormal numbers, which WebGL loses', () => {});
  }
  describe.each(engine === 'webgl' ? [] : (['patterns', 'edges'] as const))('of the oracles’ %s', (dataset) => {
    let x: tf.Tensor;
    beforeAll(async () => {
      await onEngine(engine);
      x = tf.tensor(golden[dataset]);
    });

    const cases = goldenCases.filter((golden) => golden.dataset === dataset);
    it.each(cases)(
      'has their bits: $format, $scaleMode, $rounding',
      async ({ format, scaleMode, rounding, key, hashes }) => {
        const [got] = await readAll([quantizeMX(x, { format, scaleMode, rounding, key })]);
        expect(goldenHashes(got!)).toEqual(hashes);
      },
    );
  });

  // Its scales are no powers of two, and core's composition has those alone.
  const known = Object.keys(formats).filter((format) => format !== 'nvfp4' || !onGpu(engine));
  it.each(known as (keyof typeof formats)[])('has the bits of the package along any axis, %s', async (format) => {
    const values = numbers(5 * 37 * 3, 8);
    const shape = [5, 37, 3];
    for (const axis of [0, 1, 2, -2]) {
      const y = tf.tidy(() => quantizeMX(tf.tensor(values, shape), { format, axis }));
      const [got] = await readAll([y]);
      expect(Array.from(got!)).toEqual(Array.from(fakeQuantize(values, { format, shape, axis })));
    }
  });

  it('hands the gradient through the rounding, or to the caller', async () => {
    const x = tf.tensor1d([0.3, -100, 7.1]);
    const loss = (options: QuantizeMXOptions) => (value: tf.Tensor) =>
      tf.sum(tf.square(quantizeMX(value, options))) as tf.Scalar;
    const y = fakeQuantize(Float32Array.of(0.3, -100, 7.1), { format: 'mxfp4_e2m1' });
    const before = counts();
    // Zero where the value was rounded to zero, say.
    const gradient: QuantizeMXOptions['gradient'] = (dy, _x, result) => tf.mul(dy, tf.abs(tf.sign(result)));
    const gradients = tf.tidy(() =>
      [loss({ format: 'mxfp4_e2m1' }), loss({ format: 'mxfp4_e2m1', gradient })].map((f) => tf.grad(f)(x)),
    );
    const [straight, own] = await readAll(gradients);
    expect(Array.from(straight!)).toEqual(Array.from(y, (v) => 2 * v));
    expect(Array.from(own!)).toEqual(Array.from(y, (v) => (v === 0 ? 0 : 2 * v)));
    expect(counts()).toEqual(before);
    x.dispose();
  });

  it('leaves nothing behind but its result', () => {
    const x = tf.ones([3, 40]);
    const before = counts();
    for (let i = 0; i < 20; i++) {
      tf.tidy(() => void quantizeMX(x, { format: 'mxint8', axis: 0 }));
      quantizeMX(x, { format: 'mxfp8_e4m3', rounding: 'stochastic', key }).dispose();
    }
    expect(counts()).toEqual(before);
    x.dispose();
  });

  it('refuses by name what it cannot use', () => {
    const x = tf.ones([2, 2]);
    const refuse = (
      options: unknown,
      code: Parameters<typeof isLmdError>[1],
      message: RegExp,
      value: tf.Tensor = x,
    ) => {
      const error = errorOf(() => quantizeMX(value, options as QuantizeMXOptions));
      expect(isLmdError(error, code), String(error)).toBe(true);
      expect(error.message).toMatch(message);
    };
    const before = counts();
    refuse({ format: 'mxfp5' }, 'INVALID_ARGUMENT', /format is "mxfp5".*mxfp6_e3m2/);
    refuse({ format: 'mxint8', axes: 1 }, 'UNKNOWN_OPTION', /no option "axes"/);
    refuse({ format: 'mxint8', axis: 2 }, 'INVALID_ARGUMENT', /axis/);
    refuse({ format: 'mxint8', rounding: 'up' }, 'INVALID_ARGUMENT', /rounding is "up"/);
    refuse({ format: 'mxint8', rounding: 'stochastic' }, 'INVALID_ARGUMENT', /key/);
    refuse({ format: 'mxint8', scaleMode: 'up' }, 'INVALID_ARGUMENT', /scaleMode is "up"/);
    refuse({ format: 'mxint8', gradient: 'none' }, 'INVALID_ARGUMENT', /gradient is "none"/);
    refuse(undefined, 'INVALID_ARGUMENT', /options/);
    refuse({ format: 'mxint8' }, 'INVALID_ARGUMENT', /tf.Tensor/, [1, 2] as never);
    const integers = tf.ones([2], 'int32');
    refuse({ format: 'mxint8' }, 'DTYPE_MISMATCH', /f32/, integers);
    integers.dispose();
    expect(counts()).toEqual(before);
    x.dispose();
  });
});
