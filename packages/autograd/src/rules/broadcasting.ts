import type { EagerOperations, Tensor, TensorLike } from '@lmd/core';
import { isTensor } from '../node.js';

/** The gradient of broadcasting: sums `gradient` to `shape`. Returns the same handle if nothing was broadcast. */
export function sumToShape(ops: EagerOperations, gradient: Tensor, shape: readonly number[]): Tensor {
  const leading = gradient.shape.length - shape.length;
  const axes: number[] = [];
  gradient.shape.forEach((extent, axis) => {
    if (axis < leading || shape[axis - leading] !== extent) axes.push(axis);
  });
  return axes.length === 0 ? gradient : ops.reshape(ops.sum(gradient, { axes }), shape);
}

export function shapeOf(x: TensorLike): readonly number[] {
  return isTensor(x) ? x.shape : [];
}
