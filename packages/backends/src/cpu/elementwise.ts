import { type BinaryName, binaryNames, type Primitives, sizeOf, type Tensor, type UnaryName } from '@lmd/core';
import { binary } from '../host-kernels/elementwise.js';
import { coalesce } from '../host-kernels/strided.js';
import { record } from '../record.js';
import { broadcastShape, broadcastStrides, sameShape, stridesOf } from '../strided-offsets.js';
import type { MemoryHost } from './memory-host.js';

/** Numbers of the operations in `assembly/elementwise.ts`. */
const unaryNumbers = { negate: 0, absolute: 1, sign: 2, exp: 3, sqrt: 4, round: 5 } as const satisfies Partial<
  Record<UnaryName, number>
>;
const bfloat16Number = 6;
const binaryNumbers: Readonly<Record<BinaryName, number>> = {
  add: 0,
  subtract: 1,
  multiply: 2,
  divide: 3,
  maximum: 4,
  minimum: 5,
};

/** Rounds to BF16 and back, which is no primitive. */
export function bfloat16(host: MemoryHost, x: Tensor): Tensor {
  return unary(host, bfloat16Number, x);
}

function unary(host: MemoryHost, operation: number, x: Tensor): Tensor {
  const { kernels, address } = host;
  return host.make(x.shape, 'f32', (out) => kernels.unary(operation, address(x), address(out), sizeOf(x.shape)));
}

function arithmetic(host: MemoryHost, name: BinaryName, a: Tensor, b: Tensor): Tensor {
  const { kernels, address } = host;
  const operation = binaryNumbers[name];
  if (sameShape(a.shape, b.shape)) {
    return host.make(a.shape, 'f32', (out) => {
      kernels.binary(operation, address(a), address(b), address(out), 1, sizeOf(a.shape), 0, 1, 0, 1);
    });
  }
  const shape = broadcastShape(a.shape, b.shape);
  return host.make(shape, 'f32', (out) => {
    if (sizeOf(shape) === 0) return;
    const { extents, strides } = coalesce({
      extents: shape,
      strides: [broadcastStrides(a.shape, shape), broadcastStrides(b.shape, shape), stridesOf(shape)],
    });
    const [stridesA, stridesB] = strides as [number[], number[]];
    if (extents.length > 2) {
      const left = { values: host.floats(a), shape: a.shape };
      binary(name, left, { values: host.floats(b), shape: b.shape }, shape, host.floats(out));
      return;
    }
    const [rows, width] = extents.length === 2 ? (extents as [number, number]) : [1, extents[0]!];
    const outer = extents.length - 2;
    kernels.binary(
      operation,
      address(a),
      address(b),
      address(out),
      rows,
      width,
      stridesA[outer] ?? 0,
      stridesA[outer + 1]!,
      stridesB[outer] ?? 0,
      stridesB[outer + 1]!,
    );
  });
}

export function cpuElementwise(host: MemoryHost): Pick<Primitives, BinaryName | keyof typeof unaryNumbers> {
  return {
    ...record(Object.keys(unaryNumbers) as (keyof typeof unaryNumbers)[], (name) => {
      const operation = unaryNumbers[name];
      return (x: Tensor) => unary(host, operation, x);
    }),
    ...record(binaryNames, (name) => (a: Tensor, b: Tensor) => arithmetic(host, name, a, b)),
  };
}
