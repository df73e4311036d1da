import { type EagerOperations, type NamedTensors, sgd, sizeOf } from '@lmd/core';
import type { Method } from '../method.js';

/**
 * FedAvg (McMahan et al., arXiv:1602.05629): clients train all weights, and the server averages them. A message is 32
 * bits for each weight.
 */
export async function averaging(ops: EagerOperations, initial: NamedTensors): Promise<Method> {
  const names = Object.keys(initial);
  const flatten = async (weights: NamedTensors): Promise<Uint8Array> => {
    const parts = await Promise.all(names.map(async (name) => (await ops.read(weights[name]!)) as Float32Array));
    const flat = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
    let from = 0;
    for (const part of parts) {
      flat.set(part, from);
      from += part.length;
    }
    return new Uint8Array(flat.buffer);
  };
  const floatsOf = ({ buffer, byteOffset, byteLength }: Uint8Array) =>
    new Float32Array(buffer, byteOffset, byteLength / Float32Array.BYTES_PER_ELEMENT);
  return {
    name: 'FedAvg',
    optimizer: sgd({ learningRate: 0.02, momentum: 0.9 }),
    effective: (recorded, weights) =>
      Object.fromEntries(names.map((name) => [name, recorded.multiply(weights[name]!, 1)])),
    first: await flatten(initial),
    receive(message) {
      const flat = floatsOf(message);
      let from = 0;
      return Object.fromEntries(
        names.map((name) => {
          const { shape } = initial[name]!;
          const size = sizeOf(shape);
          from += size;
          return [name, ops.fromData(flat.slice(from - size, from), shape)];
        }),
      );
    },
    send: async (weights) => ({ bytes: await flatten(weights) }),
    combine(messages) {
      const total = messages.reduce((sum, { weight }) => sum + weight, 0);
      const mean = new Float32Array(messages[0]!.bytes.byteLength / Float32Array.BYTES_PER_ELEMENT);
      for (const { bytes, weight } of messages) {
        for (const [i, value] of floatsOf(bytes).entries()) mean[i]! += (weight / total) * value;
      }
      return new Uint8Array(mean.buffer);
    },
  };
}
