import { sizeOf } from '@lmd/core';
import { result, type Values } from '../values.js';
import { eachIndex } from './layout.js';

/** The values of `x` that fall together when `axes` are reduced, for each element of the result. */
function groups(x: Values, axes: readonly number[]): { shape: number[]; values: number[][] } {
  const kept = x.shape.map((_, axis) => axis).filter((axis) => !axes.includes(axis));
  const shape = kept.map((axis) => x.shape[axis]!);
  const values: number[][] = Array.from({ length: sizeOf(shape) }, () => []);
  eachIndex(x.shape, (index, position) => {
    let group = 0;
    for (const axis of kept) group = group * x.shape[axis]! + index[axis]!;
    values[group]!.push(x.data[position]!);
  });
  return { shape, values };
}

const add = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

export function sum(x: Values, axes: readonly number[]): Values {
  const { shape, values } = groups(x, axes);
  const magnitudes = Float64Array.from(values, (group) => add(group.map(Math.abs)));
  return result(shape, Float64Array.from(values, add), magnitudes, values[0]?.length ?? 0, x.dtype);
}

export function mean(x: Values, axes: readonly number[]): Values {
  const total = sum(x, axes);
  const count = total.terms!;
  return result(
    total.shape,
    total.data.map((value) => value / count),
    total.magnitudes!.map((value) => value / count),
    count,
  );
}

export function max(x: Values, axes: readonly number[]): Values {
  const { shape, values } = groups(x, axes);
  return result(
    shape,
    Float64Array.from(values, (group) => group.reduce((a, b) => Math.max(a, b), -Infinity)),
    undefined,
    undefined,
    x.dtype,
  );
}

export function argMax(x: Values, axis: number): Values {
  const { shape, values } = groups(x, [axis]);
  const first = (group: number[]) => group.indexOf(Math.max(...group));
  return result(shape, Float64Array.from(values, first), undefined, undefined, 'i32');
}
