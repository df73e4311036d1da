import { bytesPerElement, sizeOf, type Tensor, type TensorData } from '@lmd/core';
import { type Bound, type BoundName, bounds } from './bounds.js';
import { binOf, type ErrorHistogram, errorBins } from './histogram.js';
import { unravel } from './oracle/layout.js';
import type { Values } from './values.js';

const unit = 2 ** -24;
const smallestNormal = 2 ** -126;
const smallestSubnormal = 2 ** -149;

export interface Comparison {
  readonly bound: BoundName;
  /** Whether the backend keeps subnormals: where not, it may give zero for one. */
  readonly subnormals: boolean;
}

/**
 * Describes how `got` differs from `want`, or gives undefined where it agrees. A NaN agrees with a NaN and nothing
 * else.
 */
export function difference(handle: Tensor, got: TensorData, want: Values, comparison: Comparison): string | undefined {
  const gotShape = `[${handle.shape.join(', ')}] ${handle.dtype}`;
  const wantShape = `[${want.shape.join(', ')}] ${want.dtype}`;
  if (gotShape !== wantShape) return `the result is ${gotShape}, expected ${wantShape}`;
  if (got.length !== sizeOf(want.shape)) return `read gave ${got.length} values for a tensor of shape ${wantShape}`;
  if (got.BYTES_PER_ELEMENT !== bytesPerElement[want.dtype]) {
    return `read gave a ${got.constructor.name} for ${want.dtype}`;
  }

  const wrong: number[] = [];
  for (let i = 0; i < got.length; i++) {
    // Most elements are equal.
    if (!Object.is(got[i], want.data[i]) && !agrees(got[i]!, want, i, comparison)) wrong.push(i);
  }
  if (wrong.length === 0) return undefined;

  const excess = (i: number) => {
    const error = Math.abs(got[i]! - want.data[i]!);
    return Number.isNaN(error) ? Number.POSITIVE_INFINITY : error / (allowance(want, i, comparison) || 1);
  };
  const worst = wrong.reduce((a, b) => (excess(b) > excess(a) ? b : a));
  const bound: Bound = bounds[comparison.bound];
  return (
    `${wrong.length} of ${got.length} elements are beyond the bound of '${comparison.bound}' (${bound.reason}). ` +
    `Worst at [${unravel(worst, want.shape).join(', ')}]: got ${show(got[worst]!)}, expected ${show(want.data[worst]!)}` +
    (bound.kind === 'units'
      ? `, off by ${Math.abs(got[worst]! - want.data[worst]!)}, allowed ${allowance(want, worst, comparison)}`
      : '')
  );
}

function agrees(value: number, want: Values, i: number, comparison: Comparison): boolean {
  const expected = want.data[i]!;
  if (Number.isNaN(expected)) return Number.isNaN(value);
  const { kind } = bounds[comparison.bound];
  const flushed = !comparison.subnormals && Math.abs(expected) < smallestNormal && value === 0;
  const rounded = Math.fround(expected);
  if (kind === 'identical') return Object.is(value, expected) || flushed;
  if (kind === 'exact' || !Number.isFinite(rounded)) return value === rounded || flushed;
  return Math.abs(value - expected) <= allowance(want, i, comparison);
}

/** How far element `i` may be off, where its bound is in units. */
function allowance(want: Values, i: number, { bound: name, subnormals }: Comparison): number {
  const bound: Bound = bounds[name];
  const units = bound.units?.(want.terms ?? 1) ?? 0;
  const magnitude = want.magnitudes?.[i] ?? Math.abs(want.data[i]!);
  // Near zero a rounding error is absolute, and each rounding of the operation, intermediate ones included, makes one.
  return units * (unit * magnitude + (subnormals ? smallestSubnormal : smallestNormal));
}

/** How far a result is off at most. */
export interface Deviation {
  /** In units of u = 2^-24 times the magnitude of the terms that made the element. */
  readonly units: number;
  /** As a part of what the bound allows; 0 where the bound is exact and met. */
  readonly share: number;
  /** Number of elements by their error in ulp, in the bins of `errorBins`: those that are finite numbers. */
  readonly histogram: ErrorHistogram;
}

/**
 * The largest deviation of a result from the oracle's values, of the same shape, over elements that are finite numbers.
 */
export function deviation(got: TensorData, want: Values, comparison: Comparison): Deviation {
  let units = 0;
  let share = 0;
  const histogram = errorBins.map(() => 0);
  for (let i = 0; i < got.length; i++) {
    const expected = want.data[i]!;
    const error = Math.abs(got[i]! - expected);
    const magnitude = want.magnitudes?.[i] ?? Math.abs(expected);
    // Where f32 has no such number, the bound asks for infinity; subnormal terms may be flushed.
    if (Number.isNaN(error) || !Number.isFinite(Math.fround(expected))) continue;
    if (error === 0) histogram[0]! += 1;
    if (error === 0 || magnitude < smallestNormal) continue;
    // The unit is half an ulp.
    histogram[binOf(error / (2 * unit * magnitude))]! += 1;
    units = Math.max(units, error / (unit * magnitude));
    const allowed = allowance(want, i, comparison);
    if (allowed > 0) share = Math.max(share, error / allowed);
  }
  return { units, share, histogram };
}

const show = (value: number) => (Object.is(value, -0) ? '-0' : String(value));
