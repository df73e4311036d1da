import type { EagerOperations, Tensor } from '@lmd/core';
import { assembleSlices, type SliceGradient } from './slice-gradients.js';

/** Upstream gradients during the backward pass, by tensor. */
export interface Upstream {
  get(x: Tensor): Tensor | undefined;
  /** Adds `gradient` to that of `x`. */
  add(x: Tensor, gradient: Tensor): void;
  /** Adds a gradient of the slice of `x` with offset `begin`. */
  addSlice(x: Tensor, gradient: Tensor, begin: readonly number[]): void;
  /** Removes the gradient of `x`. */
  remove(x: Tensor): void;
  retain(gradient: Tensor): void;
  /** Reverts one `retain`, and frees the gradient if it is no longer used. */
  release(gradient: Tensor): void;
}

/** Several tensors may share one handle (the gradient of a sum is dy itself), so uses are counted. */
export function createUpstream(ops: EagerOperations): Upstream {
  const gradients = new Map<Tensor, Tensor>();
  const slices = new Map<Tensor, SliceGradient[]>();
  const uses = new Map<Tensor, number>();

  const retain = (gradient: Tensor): void => void uses.set(gradient, (uses.get(gradient) ?? 0) + 1);
  const release = (gradient: Tensor): void => {
    const left = uses.get(gradient)! - 1;
    if (left > 0) {
      uses.set(gradient, left);
      return;
    }
    uses.delete(gradient);
    ops.dispose(gradient);
  };
  const add = (x: Tensor, gradient: Tensor): void => {
    const earlier = gradients.get(x);
    const total = earlier === undefined ? gradient : ops.add(earlier, gradient);
    gradients.set(x, total);
    retain(total);
    if (earlier !== undefined) release(earlier);
  };
  /** Slices are collected until the gradient is needed, since together they are often a concatenation. */
  const settleSlices = (x: Tensor): void => {
    const parts = slices.get(x);
    if (parts === undefined) return;
    slices.delete(x);
    const whole = assembleSlices(ops, x.shape, parts);
    retain(whole);
    add(x, whole);
    release(whole);
    for (const { gradient } of parts) release(gradient);
  };

  return {
    get(x) {
      settleSlices(x);
      return gradients.get(x);
    },
    add,
    addSlice(x, gradient, begin) {
      retain(gradient);
      const parts = slices.get(x);
      if (parts === undefined) slices.set(x, [{ gradient, begin }]);
      else parts.push({ gradient, begin });
    },
    remove(x) {
      const gradient = gradients.get(x);
      if (gradient === undefined) return;
      gradients.delete(x);
      release(gradient);
    },
    retain,
    release,
  };
}
