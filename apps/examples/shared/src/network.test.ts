import { createReferenceBackend } from '@lmd/backends/reference';
import { createOperations } from '@lmd/core';
import { expect, it } from 'vitest';
import { accuracyOf, batchOf, network, type Pictures } from './index.js';

const ops = createOperations(createReferenceBackend());
const pictures: Pictures = {
  images: Float32Array.of(1, 0, 0, 1, 1, 0),
  labels: Int32Array.of(0, 1, 1),
  pixels: 2,
};

it('gives the input of each product, and counts what is classified correctly', async () => {
  const net = network([2, 2]);
  expect(net.shapes).toEqual({ layer1: [2, 2] });
  const weights = { layer1: ops.fromData([1, 0, 0, 1], [2, 2]) };
  const { x, labels } = batchOf(ops, pictures, Int32Array.of(1, 0));
  expect([[...(await ops.read(x))], [...(await ops.read(labels))]]).toEqual([
    [0, 1, 1, 0],
    [1, 0],
  ]);
  const { logits, inputs } = net.forward(ops, weights, x);
  expect([...(await ops.read(logits))]).toEqual([0, 1, 1, 0]);
  expect(inputs.layer1).toBe(x);
  expect(await accuracyOf(ops, net, weights, pictures)).toBeCloseTo(2 / 3, 12);
});

it('refuses pictures of another size', () => {
  const net = network([4, 2]);
  expect(() => net.forward(ops, net.initialize(ops, 0), ops.zeros([3, 5]))).toThrow(/shape \[3,5\].*\[examples, 4\]/);
});
