import { isTypedArray } from '@lmd/core';

/** Typed arrays that the kernels walk over. */
export type HostArray = Float32Array | Int32Array;

/**
 * How several operands are walked together: common extents, and for each operand its stride along every axis and its
 * start.
 */
export interface Walk {
  readonly extents: readonly number[];
  readonly strides: readonly (readonly number[])[];
}

/**
 * Drops axes of extent 1 and merges neighbours that every operand steps through as one, so that what is contiguous
 * becomes one long row. The result has at least one axis.
 */
export function coalesce(walk: Walk): Walk {
  const extents: number[] = [];
  const strides: number[][] = walk.strides.map(() => []);
  for (let axis = 0; axis < walk.extents.length; axis++) {
    const extent = walk.extents[axis]!;
    if (extent === 1) continue;
    const last = extents.length - 1;
    const mergeable = last >= 0 && walk.strides.every((own, i) => strides[i]![last] === own[axis]! * extent);
    if (mergeable) {
      extents[last]! *= extent;
      walk.strides.forEach((own, i) => {
        strides[i]![last] = own[axis]!;
      });
    } else {
      extents.push(extent);
      walk.strides.forEach((own, i) => {
        strides[i]!.push(own[axis]!);
      });
    }
  }
  if (extents.length === 0) {
    extents.push(1);
    for (const own of strides) own.push(1);
  }
  return { extents, strides };
}

/** Calls `visit` for every index of all axes but the last, row-major, with each of up to three operands' offsets. */
export function forEachRow(
  { extents, strides }: Walk,
  visit: (offset0: number, offset1: number, offset2: number) => void,
): void {
  const outer = extents.length - 1;
  if (extents.includes(0)) return;
  const index = new Array<number>(outer).fill(0);
  const offsets = [0, 0, 0];
  for (;;) {
    visit(offsets[0]!, offsets[1]!, offsets[2]!);
    let axis = outer - 1;
    for (; axis >= 0; axis--) {
      index[axis]!++;
      strides.forEach((own, i) => {
        offsets[i]! += own[axis]!;
      });
      if (index[axis]! < extents[axis]!) break;
      index[axis] = 0;
      strides.forEach((own, i) => {
        offsets[i]! -= own[axis]! * extents[axis]!;
      });
    }
    if (axis < 0) return;
  }
}

/** Rows from this length are moved by one block copy; shorter ones cost less in a loop. */
const blockCopyLength = 32;

/**
 * out[outStart + Σ i·outStrides] = x[start + Σ i·strides] for every index of `extents`: transposing, slicing, padding,
 * joining and broadcasting are all this.
 */
export function stridedCopy(
  extents: readonly number[],
  x: HostArray,
  strides: readonly number[],
  start: number,
  out: HostArray,
  outStrides: readonly number[],
  outStart: number,
): void {
  const walk = coalesce({ extents, strides: [strides, outStrides] });
  const length = walk.extents.at(-1)!;
  const step = walk.strides[0]!.at(-1)!;
  const outStep = walk.strides[1]!.at(-1)!;
  if (step === 1 && outStep === 1 && length >= blockCopyLength) {
    forEachRow(walk, (from, to) => out.set(x.subarray(start + from, start + from + length), outStart + to));
  } else if (isTypedArray(x, 'Float32Array') && isTypedArray(out, 'Float32Array')) {
    forEachRow(walk, (from, to) => copyFloatRow(x, start + from, step, out, outStart + to, outStep, length));
  } else {
    forEachRow(walk, (from, to) => copyRow(x, start + from, step, out, outStart + to, outStep, length));
  }
}

function copyFloatRow(
  x: Float32Array,
  from: number,
  step: number,
  out: Float32Array,
  to: number,
  outStep: number,
  length: number,
): void {
  for (let j = 0; j < length; j++) out[to + j * outStep] = x[from + j * step]!;
}

function copyRow(
  x: HostArray,
  from: number,
  step: number,
  out: HostArray,
  to: number,
  outStep: number,
  length: number,
): void {
  for (let j = 0; j < length; j++) out[to + j * outStep] = x[from + j * step]!;
}
