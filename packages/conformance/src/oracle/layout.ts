import { sizeOf } from '@lmd/core';

/** The multi-index of a row-major position. */
export function unravel(position: number, shape: readonly number[]): number[] {
  const index = new Array<number>(shape.length);
  let rest = position;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    index[axis] = rest % shape[axis]!;
    rest = Math.floor(rest / shape[axis]!);
  }
  return index;
}

/** The row-major position of a multi-index. */
export function ravel(index: readonly number[], shape: readonly number[]): number {
  let position = 0;
  for (let axis = 0; axis < shape.length; axis++) position = position * shape[axis]! + index[axis]!;
  return position;
}

/** NumPy's broadcast shape; the suite only asks for shapes that fit. */
export function broadcastShapes(...shapes: readonly (readonly number[])[]): number[] {
  const rank = Math.max(...shapes.map((shape) => shape.length));
  const result: number[] = [];
  for (let axis = 0; axis < rank; axis++) {
    const extents = shapes.map((shape) => shape[shape.length - rank + axis] ?? 1);
    result.push(extents.find((extent) => extent !== 1) ?? 1);
  }
  return result;
}

/** The position in an operand of shape `from` that broadcasting reads for `index` of the result. */
export function broadcastPosition(index: readonly number[], from: readonly number[]): number {
  const offset = index.length - from.length;
  let position = 0;
  for (let axis = 0; axis < from.length; axis++) {
    position = position * from[axis]! + (from[axis] === 1 ? 0 : index[axis + offset]!);
  }
  return position;
}

/** Calls `visit` for each position of a shape with its multi-index, one array that the next call changes. */
export function eachIndex(shape: readonly number[], visit: (index: readonly number[], position: number) => void): void {
  const size = sizeOf(shape);
  const index = shape.map(() => 0);
  for (let position = 0; position < size; position++) {
    visit(index, position);
    for (let axis = shape.length - 1; axis >= 0 && ++index[axis]! === shape[axis]; axis--) index[axis] = 0;
  }
}

/** Splits a shape whose last axis is worked along into [rows, width]. */
export function rowsOf(shape: readonly number[]): { rows: number; width: number } {
  const width = shape[shape.length - 1]!;
  return { rows: sizeOf(shape.slice(0, -1)), width };
}
