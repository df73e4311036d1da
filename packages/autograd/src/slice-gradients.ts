import type { EagerOperations, Tensor } from '@lmd/core';

/** The gradient of a slice with offset `begin`. */
export interface SliceGradient {
  readonly gradient: Tensor;
  readonly begin: readonly number[];
}

/**
 * The gradient of the tensor of `shape` that was sliced. Slices that tile one axis, as queries, keys and values do, are
 * concatenated in one pass over memory; others are padded with zeros and added. The result may be one of the parts.
 */
export function assembleSlices(
  ops: EagerOperations,
  shape: readonly number[],
  parts: readonly SliceGradient[],
): Tensor {
  const axis = tiledAxis(shape, parts);
  if (axis !== undefined) {
    const inOrder = [...parts].sort((a, b) => a.begin[axis]! - b.begin[axis]!).map(({ gradient }) => gradient);
    return inOrder.length === 1 ? inOrder[0]! : ops.concatenate(inOrder, axis);
  }
  return ops.scope(() =>
    parts
      .map(({ gradient, begin }) => {
        const after = shape.map((extent, i) => extent - begin[i]! - gradient.shape[i]!);
        return ops.pad(gradient, begin, after);
      })
      .reduce((sum, padded) => {
        const next = ops.add(sum, padded);
        ops.dispose([sum, padded]);
        return next;
      }),
  );
}

/** The axis along which the parts are adjacent without gap or overlap, and complete in all other axes. */
function tiledAxis(shape: readonly number[], parts: readonly SliceGradient[]): number | undefined {
  const axis = shape.findIndex((extent, i) => parts[0]!.gradient.shape[i] !== extent);
  if (axis === -1) return parts.length === 1 && shape.length > 0 ? 0 : undefined;
  let covered = 0;
  for (const { gradient, begin } of [...parts].sort((a, b) => a.begin[axis]! - b.begin[axis]!)) {
    if (begin[axis] !== covered) return undefined;
    if (gradient.shape.some((extent, i) => i !== axis && extent !== shape[i])) return undefined;
    covered += gradient.shape[axis]!;
  }
  return covered === shape[axis] ? axis : undefined;
}
