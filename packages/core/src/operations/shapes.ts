import { describeValue, LmdError } from '../errors.js';
import { sizeOf } from '../tensor.js';

/**
 * Shape inference: each function gives the result's shape, or throws `SHAPE_MISMATCH` naming the operation and the
 * shapes.
 */
export type Shape = readonly number[];

/** `[2, 3]`; also of what is no shape, since errors show what they were given. */
export function formatShape(shape: Shape): string {
  if (!Array.isArray(shape)) return describeValue(shape);
  return `[${shape.map((extent: unknown) => (typeof extent === 'number' ? extent : describeValue(extent))).join(', ')}]`;
}

/** Throws `INVALID_ARGUMENT` unless `value` is an array. */
export function checkArray(operation: string, name: string, value: unknown): void {
  if (Array.isArray(value)) return;
  throw new LmdError('INVALID_ARGUMENT', `${operation}: ${name} is ${describeValue(value)}.`, {
    subject: name,
    value,
    remedy: 'Pass an array.',
  });
}

export function shapeMismatch(operation: string, problem: string, value: unknown, remedy?: string): LmdError {
  return new LmdError('SHAPE_MISMATCH', `${operation}: ${problem}`, {
    subject: operation,
    value,
    ...(remedy === undefined ? {} : { remedy }),
  });
}

export function sameShape(a: Shape, b: Shape): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** By position, since `every` passes over holes. */
function isWholeShape(shape: Shape): boolean {
  for (let i = 0; i < shape.length; i++) if (!Number.isSafeInteger(shape[i]) || shape[i]! < 0) return false;
  return true;
}

/** Throws `INVALID_ARGUMENT` unless `shape` is an array of non-negative integers. */
export function checkShape(operation: string, shape: Shape): void {
  if (Array.isArray(shape) && isWholeShape(shape)) return;
  throw new LmdError('INVALID_ARGUMENT', `${operation}: the shape is ${describeValue(shape)}.`, {
    subject: 'shape',
    value: shape,
    remedy: 'Pass an array of non-negative integers; [] is a scalar.',
  });
}

/** NumPy broadcasting of two shapes. */
export function broadcastShapes(operation: string, a: Shape, b: Shape): Shape {
  if (sameShape(a, b) || b.length === 0) return a;
  if (a.length === 0) return b;
  const rank = Math.max(a.length, b.length);
  const shape = new Array<number>(rank);
  for (let i = 1; i <= rank; i++) {
    const extentA = i <= a.length ? a[a.length - i]! : 1;
    const extentB = i <= b.length ? b[b.length - i]! : 1;
    if (extentA !== extentB && extentA !== 1 && extentB !== 1) {
      throw shapeMismatch(
        operation,
        `${formatShape(a)} and ${formatShape(b)} do not broadcast: extents ${extentA} and ${extentB} differ.`,
        [a, b],
      );
    }
    shape[rank - i] = extentA === 1 ? extentB : extentA;
  }
  return shape;
}

/** Throws unless `from` broadcasts to exactly `to`. */
export function checkBroadcastTo(operation: string, from: Shape, to: Shape): void {
  checkShape(operation, to);
  const offset = to.length - from.length;
  if (offset >= 0 && from.every((extent, i) => extent === 1 || extent === to[offset + i])) return;
  throw shapeMismatch(operation, `${formatShape(from)} does not broadcast to ${formatShape(to)}.`, [from, to]);
}

/** An axis counted from the start. */
export function normalizeAxis(operation: string, axis: number, rank: number): number {
  if (Number.isInteger(axis) && axis >= -rank && axis < rank) return axis < 0 ? axis + rank : axis;
  throw new LmdError('INVALID_ARGUMENT', `${operation}: axis ${describeValue(axis)} of a tensor of rank ${rank}.`, {
    subject: 'axis',
    value: axis,
    remedy: rank === 0 ? 'A scalar has no axes.' : `Use an integer from ${-rank} to ${rank - 1}.`,
  });
}

/** Sorted, distinct, non-negative axes; all when absent. */
export function normalizeAxes(operation: string, axes: number | Shape | undefined, rank: number): number[] {
  if (axes === undefined) return Array.from({ length: rank }, (_, i) => i);
  if (typeof axes === 'number') return [normalizeAxis(operation, axes, rank)];
  checkArray(operation, 'axes', axes);
  const sorted = axes.map((axis) => normalizeAxis(operation, axis, rank)).sort((a, b) => a - b);
  for (let i = 1; i < sorted.length; i++) {
    if (sorted[i] !== sorted[i - 1]) continue;
    throw new LmdError('INVALID_ARGUMENT', `${operation}: axis ${sorted[i]} occurs twice in ${formatShape(axes)}.`, {
      subject: 'axes',
      value: axes,
      remedy: 'Use each axis once.',
    });
  }
  return sorted;
}

/** The shape left by a reduction over sorted `axes`. */
export function reducedShape(shape: Shape, axes: Shape, keepDims: boolean): number[] {
  const reduced: number[] = [];
  for (let i = 0, next = 0; i < shape.length; i++) {
    if (axes[next] !== i) reduced.push(shape[i]!);
    else {
      next++;
      if (keepDims) reduced.push(1);
    }
  }
  return reduced;
}

/** Fills in at most one −1. */
export function reshapedShape(operation: string, from: Shape, to: Shape): Shape {
  const size = sizeOf(from);
  checkArray(operation, 'shape', to);
  const unknown = to.indexOf(-1);
  let shape = to;
  if (unknown >= 0) {
    checkShape(
      operation,
      to.map((extent, i) => (i === unknown ? 0 : extent)),
    );
    const known = to.reduce((product, extent, i) => (i === unknown ? product : product * extent), 1);
    if (known === 0) {
      throw shapeMismatch(operation, `${formatShape(from)} to ${formatShape(to)}: −1 beside a 0 could be anything.`, [
        from,
        to,
      ]);
    }
    shape = to.map((extent, i) => (i === unknown ? size / known : extent));
    if (!Number.isInteger(shape[unknown])) {
      throw shapeMismatch(
        operation,
        `${formatShape(from)} to ${formatShape(to)}: ${size} elements do not divide by ${known}.`,
        [from, to],
      );
    }
  }
  checkShape(operation, shape);
  if (sizeOf(shape) === size) return shape;
  throw shapeMismatch(
    operation,
    `${formatShape(from)} has ${size} elements, ${formatShape(to)} has ${sizeOf(shape)}.`,
    [from, to],
  );
}

/** Checks a permutation of all axes; the last two are exchanged when it is absent. Negative axes count from the end. */
export function normalizePermutation(operation: string, shape: Shape, permutation: Shape | undefined): Shape {
  const rank = shape.length;
  if (permutation === undefined) {
    if (rank < 2) throw shapeMismatch(operation, `${formatShape(shape)} has no last two axes to exchange.`, shape);
    return Array.from({ length: rank }, (_, i) => (i < rank - 2 ? i : 2 * rank - 3 - i));
  }
  checkArray(operation, 'permutation', permutation);
  const axes = permutation.map((axis) => normalizeAxis(operation, axis, rank));
  if (axes.length === rank && new Set(axes).size === rank) return axes;
  throw new LmdError(
    'INVALID_ARGUMENT',
    `${operation}: ${formatShape(permutation)} is not a permutation of the axes of ${formatShape(shape)}.`,
    {
      subject: 'permutation',
      value: permutation,
      remedy: `Use each of the ${rank} axes once.`,
    },
  );
}

export function checkSlice(operation: string, shape: Shape, begin: Shape, size: Shape): void {
  checkArray(operation, 'begin', begin);
  checkArray(operation, 'size', size);
  const right =
    begin.length === shape.length &&
    size.length === shape.length &&
    shape.every((extent, i) => {
      const from = begin[i]!;
      const count = size[i]!;
      return Number.isInteger(from) && Number.isInteger(count) && from >= 0 && count >= 0 && from + count <= extent;
    });
  if (right) return;
  throw shapeMismatch(
    operation,
    `begin ${formatShape(begin)}, size ${formatShape(size)} does not lie in ${formatShape(shape)}.`,
    { begin, size },
  );
}

export function paddedShape(operation: string, shape: Shape, before: Shape, after: Shape): Shape {
  checkArray(operation, 'before', before);
  checkArray(operation, 'after', after);
  const right =
    before.length === shape.length &&
    after.length === shape.length &&
    [...before, ...after].every((count) => Number.isInteger(count) && count >= 0);
  if (right) return shape.map((extent, i) => before[i]! + extent + after[i]!);
  throw shapeMismatch(
    operation,
    `before ${formatShape(before)} and after ${formatShape(after)} around ${formatShape(shape)}.`,
    { before, after },
    'Use a non-negative integer for each axis.',
  );
}

export function concatenatedShape(operation: string, shapes: readonly Shape[], axis: number): Shape {
  const first = shapes[0]!;
  const result = [...first];
  for (const shape of shapes.slice(1)) {
    if (shape.length !== first.length || shape.some((extent, i) => i !== axis && extent !== first[i])) {
      throw shapeMismatch(
        operation,
        `${formatShape(first)} and ${formatShape(shape)} differ in an axis other than ${axis}.`,
        shapes,
      );
    }
    result[axis]! += shape[axis]!;
  }
  return result;
}

export interface MatmulPlan {
  /** Rank-3 shapes to hand to the primitive. */
  readonly a: Shape;
  readonly b: Shape;
  readonly result: Shape;
  /** The contracted extent. */
  readonly inner: number;
}

/** How to fold leading axes into the rank-3 primitive. */
export function planMatmul(a: Shape, b: Shape, transposeA: boolean, transposeB: boolean): MatmulPlan {
  const rankA = a.length;
  const rankB = b.length;
  const fail = (problem: string, remedy?: string) =>
    shapeMismatch(
      'matmul',
      `${formatShape(a)}${transposeA ? 'ᵀ' : ''} · ${formatShape(b)}${transposeB ? 'ᵀ' : ''}: ${problem}`,
      [a, b],
      remedy,
    );
  if (rankA < 2 || rankB < 2)
    throw fail('both operands need at least 2 axes.', 'Reshape a vector to a row or a column.');
  const rows = a[rankA - (transposeA ? 1 : 2)]!;
  const inner = a[rankA - (transposeA ? 2 : 1)]!;
  const innerB = b[rankB - (transposeB ? 1 : 2)]!;
  const columns = b[rankB - (transposeB ? 2 : 1)]!;
  if (inner !== innerB) throw fail(`the inner extents ${inner} and ${innerB} differ.`);

  const leading = rankA > 2 ? a.slice(0, -2) : b.slice(0, -2);
  if (rankA > 2 && rankB > 2 && !sameShape(leading, b.slice(0, -2))) {
    throw fail('the leading axes differ.', 'Make them equal with broadcastTo, or give the shared operand 2 axes.');
  }
  const batch = sizeOf(leading);
  const result = [...leading, rows, columns];
  // One large product is faster than many small ones: with a shared right operand, the batch becomes rows.
  if (rankB === 2 && !transposeA) return { a: [1, batch * rows, inner], b: [1, b[0]!, b[1]!], result, inner };
  return {
    a: [rankA > 2 ? batch : 1, a[rankA - 2]!, a[rankA - 1]!],
    b: [rankB > 2 ? batch : 1, b[rankB - 2]!, b[rankB - 1]!],
    result,
    inner,
  };
}
