/** Row-major strides of a shape, in elements. */
export function stridesOf(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length);
  let stride = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = stride;
    stride *= shape[axis]!;
  }
  return strides;
}

/**
 * The offset `start + Σ index[i]·strides[i]` of every multi-index of `extents`, in row-major order. Broadcasting
 * (stride 0), transposing (permuted strides), slicing (a start) and reducing (stride 0 on the written side) are all
 * such a list.
 */
export function stridedOffsets(extents: readonly number[], strides: readonly number[], start = 0): Int32Array {
  let size = 1;
  for (const extent of extents) size *= extent;
  const offsets = new Int32Array(size);
  if (size === 0) return offsets;
  offsets[0] = start;
  // From the last axis outwards: each step repeats what is filled, once for every index of that axis.
  let filled = 1;
  for (let axis = extents.length - 1; axis >= 0; axis--) {
    const extent = extents[axis]!;
    const stride = strides[axis]!;
    for (let index = 1; index < extent; index++) {
      const shift = index * stride;
      const base = index * filled;
      for (let i = 0; i < filled; i++) offsets[base + i] = offsets[i]! + shift;
    }
    filled *= extent;
  }
  return offsets;
}

/** The shape that NumPy broadcasting gives; core has checked that there is one. */
export function broadcastShape(...shapes: readonly (readonly number[])[]): number[] {
  const rank = Math.max(0, ...shapes.map((shape) => shape.length));
  return Array.from({ length: rank }, (_, axis) => {
    let extent = 1;
    for (const shape of shapes) {
      const own = shape[axis - (rank - shape.length)] ?? 1;
      if (own !== 1) extent = own;
    }
    return extent;
  });
}

/** Strides with which a tensor of `shape` is read as if it had the broadcast shape `target`: 0 along repeated axes. */
export function broadcastStrides(shape: readonly number[], target: readonly number[]): number[] {
  const own = stridesOf(shape);
  const missing = target.length - shape.length;
  return target.map((_, axis) => (axis < missing || shape[axis - missing] === 1 ? 0 : own[axis - missing]!));
}

/** Where each element of `shape` goes when `axes` are reduced away: strides of the result, 0 along the reduced axes. */
export function reductionStrides(shape: readonly number[], axes: readonly number[]): number[] {
  const kept = shape.map((extent, axis) => (axes.includes(axis) ? 1 : extent));
  return stridesOf(kept).map((stride, axis) => (axes.includes(axis) ? 0 : stride));
}

/** `shape` without `axes`. */
export function withoutAxes(shape: readonly number[], axes: readonly number[]): number[] {
  return shape.filter((_, axis) => !axes.includes(axis));
}

export function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((extent, axis) => extent === b[axis]);
}
