import type { EagerOperations } from '../operations.js';
import { sizeOf, type Tensor } from '../tensor.js';

/**
 * How a tensor is cut into blocks along one axis: as [outer, blocks, blockSize, inner], the last block filled with
 * zeros.
 */
export interface Blocking {
  readonly shape: readonly number[];
  readonly outer: number;
  readonly length: number;
  readonly inner: number;
  readonly blocks: number;
  readonly blockSize: number;
}

export function planBlocks(shape: readonly number[], axis: number, blockSize: number): Blocking {
  const length = shape[axis]!;
  // A single short block needs no filling.
  const size = Math.min(blockSize, length);
  return {
    shape,
    outer: sizeOf(shape.slice(0, axis)),
    length,
    inner: sizeOf(shape.slice(axis + 1)),
    blocks: Math.ceil(length / size),
    blockSize: size,
  };
}

export function splitIntoBlocks(ops: EagerOperations, x: Tensor, plan: Blocking): Tensor {
  const { outer, length, inner, blocks, blockSize } = plan;
  return ops.scope(() => {
    const rows = ops.reshape(x, [outer, length, inner]);
    const filled = ops.pad(rows, [0, 0, 0], [0, blocks * blockSize - length, 0]);
    return ops.reshape(filled, [outer, blocks, blockSize, inner]);
  });
}

export function joinBlocks(ops: EagerOperations, x: Tensor, plan: Blocking): Tensor {
  const { shape, outer, length, inner, blocks, blockSize } = plan;
  return ops.scope(() => {
    const filled = ops.reshape(x, [outer, blocks * blockSize, inner]);
    return ops.reshape(ops.slice(filled, [0, 0, 0], [outer, length, inner]), shape);
  });
}
