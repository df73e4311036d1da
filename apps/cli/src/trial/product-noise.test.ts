import { createReferenceBackend } from '@lmd/backends/reference';
import { createOperations, type Tensor } from '@lmd/core';
import { vit } from '@lmd/models';
import { fakeQuantize, formatNamed, quantizationError } from '@lmd/mx-formats';
import { describe, expect, it } from 'vitest';
import { clippedShare, kurtosis } from './block-statistics.js';
import { measureProducts } from './product-noise.js';

/** A reproducible sequence in (0, 1). */
function uniforms(count: number, seed: number): number[] {
  let state = seed;
  return Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state + 0.5) / 2 ** 32;
  });
}

describe('block statistics', () => {
  it('counts blocks whose largest value is beyond 1.5·2^⌊log2 A⌋ in MXFP4', () => {
    const format = formatNamed('mxfp4_e2m1');
    const block = (largest: number) => Array.from({ length: 32 }, (_, index) => (index === 5 ? -largest : 0.01));
    const values = Float32Array.from([1.5, 1.51, 6.1, 5.9, 0, 1.999].flatMap(block));
    expect(clippedShare(values, 32, format)).toBe(3 / 6);
    // Two blocks a row, the second a short one.
    expect(
      clippedShare(
        Float32Array.from({ length: 48 }, (_, index) => (index < 32 ? 1.9 : 1)),
        48,
        format,
      ),
    ).toBe(0.5);
  });

  it('agrees with the quantizer on which values are clipped', () => {
    for (const name of ['mxfp8_e4m3', 'mxfp6_e3m2', 'mxfp6_e2m3', 'mxfp4_e2m1'] as const) {
      const values = Float32Array.from(uniforms(32 * 40, 7), (value) => Math.tan(3 * (value - 0.5)));
      const format = formatNamed(name);
      let clipped = 0;
      for (let from = 0; from < values.length; from += 32) {
        const block = values.slice(from, from + 32);
        if (quantizationError(block, { format, shape: [1, 32] }).clipped > 0) clipped++;
      }
      expect(clipped).toBeGreaterThan(0);
      expect(clippedShare(values, 32, format)).toBe(clipped / 40);
    }
  });

  it('gives the kurtosis of two points, of a uniform and of a heavy law', () => {
    expect(kurtosis([-1, 1, -1, 1])).toBe(1);
    expect(kurtosis(uniforms(20_000, 3))).toBeCloseTo(1.8, 1);
    expect(kurtosis([...Array(99).fill(0), 10])).toBeGreaterThan(90);
  });
});

describe('measureProducts', () => {
  it('finds every product in both kinds of run, and the error that rounding its operands makes', async () => {
    const ops = createOperations(createReferenceBackend());
    const model = vit({
      imageSize: 8,
      channels: 1,
      classes: 3,
      patchSize: 4,
      width: 32,
      depth: 2,
      heads: 2,
      pooling: 'mean',
    });
    const weights = model.initialize(ops, 1);
    const pixels = Float32Array.from(uniforms(4 * 64, 5), (value) => value - 0.5);
    const images = ops.fromData(pixels, [4, 8, 8, 1]);
    const before = ops.memory().tensors;
    const measured = ['mxfp4_e2m1', 'mxfp6_e2m3'];
    const exact = await measureProducts({ ops, model, weights, images, format: 'fp32', measured, depth: 2 });
    const rounded = await measureProducts({
      ops,
      model,
      weights,
      images,
      format: 'mxfp4_e2m1',
      measured: ['mxfp4_e2m1'],
      depth: 2,
    });
    expect(ops.memory().tensors).toBe(before);
    const inBlock = [
      'attention.qkv',
      'attention.scores',
      'attention.values',
      'attention.projection',
      'mlp.up',
      'mlp.down',
    ];
    const names = ['patchEmbedding', ...[0, 1].flatMap((b) => inBlock.map((name) => `blocks.${b}.${name}`)), 'head'];
    expect(exact.map(({ product }) => product)).toEqual(names);
    expect(rounded.map(({ product }) => product)).toEqual(names);
    for (const { formats } of exact) {
      expect(formats.mxfp6_e2m3!.signalToNoise).toBeGreaterThan(formats.mxfp4_e2m1!.signalToNoise);
      expect(formats.mxfp4_e2m1!.signalToNoise).toBeGreaterThan(5);
    }
    // Patch embedding by hand: 4×4 patches times weights [16, 32], each operand rounded along the 16.
    const weight = (await ops.read(weights['patchEmbedding.weight']!)) as Float32Array;
    const patches = Float32Array.from({ length: 4 * 4 * 16 }, (_, index) => {
      const [image, patch, pixel] = [index >> 6, (index >> 4) & 3, index & 15];
      return pixels[image * 64 + ((patch >> 1) * 4 + (pixel >> 2)) * 8 + (patch & 1) * 4 + (pixel & 3)]!;
    });
    const transposed = Float32Array.from({ length: 512 }, (_, index) => weight[(index % 16) * 32 + (index >> 4)]!);
    const round = (x: Float32Array) => fakeQuantize(x, { format: 'mxfp4_e2m1', shape: [x.length / 16, 16], axis: 1 });
    const [a, b] = [round(patches), round(transposed)];
    let signal = 0;
    let noise = 0;
    for (let row = 0; row < 16; row++) {
      for (let column = 0; column < 32; column++) {
        let y = 0;
        let yRounded = 0;
        for (let k = 0; k < 16; k++) {
          y += patches[row * 16 + k]! * transposed[column * 16 + k]!;
          yRounded += a[row * 16 + k]! * b[column * 16 + k]!;
        }
        signal += y * y;
        noise += (y - yRounded) ** 2;
      }
    }
    const expected = 10 * Math.log10(signal / noise);
    expect(exact[0]!.formats.mxfp4_e2m1!.signalToNoise).toBeCloseTo(expected, 1);
    expect(rounded[0]!.formats.mxfp4_e2m1!.signalToNoise).toBeCloseTo(expected, 1);
    ops.dispose([images, ...Object.values(weights)] as Tensor[]);
  });
});
