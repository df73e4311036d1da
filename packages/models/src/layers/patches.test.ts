import { createReferenceBackend } from '@lmd/backends/reference';
import { createOperations, type Tensor } from '@lmd/core';
import { expect, it } from 'vitest';
import {
  fullPrecision,
  initializeParameters,
  linear,
  linearParameters,
  patchify,
  sinusoidalPositions,
  unpatchify,
} from '../index.js';

const ops = createOperations(createReferenceBackend());
const read = async (tensor: Tensor) => [...(await ops.read(tensor))];
const key = { seed: 1, stream: 1, step: 0, sample: 0 };

it.each([
  [4, 2, 1],
  [6, 3, 2],
  [6, 2, 3],
])('unpatchify is the inverse of patchify: size %d, patches of %d, %d channels', async (size, patchSize, channels) => {
  const images = ops.randomNormal([2, size, size, channels], key);
  const patches = patchify(ops, images, patchSize);
  expect(patches.shape).toEqual([2, (size / patchSize) ** 2, patchSize ** 2 * channels]);
  const back = unpatchify(ops, patches, size, patchSize);
  expect(back.shape).toEqual(images.shape);
  expect(await read(back)).toEqual(await read(images));
});

it('has the row and the column of a patch in its positions, by wavelengths', async () => {
  const [across, width] = [5, 8];
  const positions = sinusoidalPositions(ops, across, width, [4, 16]);
  expect(positions.shape).toEqual([25, 8]);
  const values = await read(positions);
  const [row, column] = [3, 1];
  // Wavelengths 4 and √(4·16) = 8.
  const wanted = [4, 8].flatMap((wavelength) => {
    const [y, x] = [row, column].map((at) => (2 * Math.PI * at) / wavelength) as [number, number];
    return [Math.sin(y), Math.sin(x), Math.cos(y), Math.cos(x)];
  });
  const from = (row * across + column) * width;
  for (const [channel, value] of wanted.entries()) expect(values[from + channel]).toBeCloseTo(value, 6);
});

it('initializes the parameters that `linear` needs, each by its name alone', async () => {
  const parameters = { ...linearParameters('up', 64, 48), ...linearParameters('down', 48, 8) };
  const weights = initializeParameters(ops, parameters, 3);
  const x = ops.randomNormal([5, 64], key);
  const context = { training: false, precision: fullPrecision, key: { seed: 0, step: 0, sample: 0 } };
  expect(linear(ops, x, 'up', { ...context, weights }).shape).toEqual([5, 48]);
  const up = await read(weights['up.weight']!);
  const variance = up.reduce((sum, value) => sum + value ** 2, 0) / up.length;
  expect(Math.abs(variance * 64 - 1)).toBeLessThan(0.1);
  expect(new Set(await read(weights['up.bias']!))).toEqual(new Set([0]));
  const alone = initializeParameters(ops, linearParameters('up', 64, 48), 3);
  expect(await read(alone['up.weight']!)).toEqual(up);
});
