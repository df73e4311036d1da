import { type BlockProductKernels, type EncodedOperand, integerElement, operandExtent } from '../block-products.js';
import type { RandomKey } from '../formats.js';
import type { EagerOperations } from '../operations.js';
import type { NamedTensors, Tensor } from '../tensor.js';
import { type Blocking, joinBlocks, planBlocks, splitIntoBlocks } from './blocks.js';
import { checkComposable, roundBlocks } from './fake-quantize.js';
import { smallestNormal } from './float32.js';

/** What the composition keeps of an operand, both as [batch, rows, …]. */
interface ComposedOperand {
  /** The integers q, f32 [batch, rows, terms]. */
  readonly codes: Tensor;
  /** 1 / scale of each block, f32 [batch, rows, blocks]; NaN for a block of NaN. */
  readonly inverses: Tensor;
}

const partsOf = ({ tensors }: EncodedOperand) => tensors as unknown as ComposedOperand;

/** See `BlockProductKernels`. */
export function encodeOperand(
  ops: EagerOperations,
  x: Tensor,
  options: Parameters<BlockProductKernels['encodeOperand']>[1],
): NamedTensors {
  const { format, axis, rounding, scaleMode, key } = options;
  checkComposable('encodeOperand', format);
  const { element, blockSize } = format;
  return ops.scope(() => {
    const extent = operandExtent({ format, shape: x.shape, axis });
    const rows = contractionLast(ops, x, axis, extent);
    const plan = planOf(extent, blockSize);
    const uniforms =
      rounding === 'stochastic'
        ? splitIntoBlocks(ops, contractionLast(ops, ops.randomUniform(x.shape, key as RandomKey), axis, extent), plan)
        : undefined;
    const blocks = splitIntoBlocks(ops, rows, plan);
    const { rounded, inverse, finite } = roundBlocks(ops, blocks, element, scaleMode, { rounding, uniforms });
    const magnitudes = ops.multiply(rounded, 2 ** -integerElement(element).unitExponent);
    const signed = ops.where(ops.less(blocks, 0), ops.subtract(0, magnitudes), magnitudes);
    const parts: ComposedOperand = {
      codes: joinBlocks(ops, ops.where(finite, signed, 0), plan),
      inverses: ops.reshape(ops.where(finite, inverse, Number.NaN), [extent.batch, extent.rows, extent.blocks]),
    };
    return { ...parts };
  });
}

/** See `BlockProductKernels`. */
export function decodeOperand(ops: EagerOperations, operand: EncodedOperand): Tensor {
  const { format, shape, axis } = operand;
  return ops.scope(() => {
    const { codes, inverses } = partsOf(operand);
    const extent = operandExtent(operand);
    const plan = planOf(extent, format.blockSize);
    const elements = ops.multiply(splitIntoBlocks(ops, codes, plan), 2 ** integerElement(format.element).unitExponent);
    const values = ops.divide(elements, ops.reshape(inverses, [plan.outer, plan.blocks, 1, 1]));
    const rows = joinBlocks(ops, values, plan);
    return ops.reshape(axis === shape.length - 1 ? rows : ops.transpose(rows), shape);
  });
}

/**
 * See `BlockProductKernels`. Sums of products of integers are exact in f32; scales go on in two steps, since one could
 * be out of range.
 */
export function blockMatmul(ops: EagerOperations, a: EncodedOperand, b: EncodedOperand): Tensor {
  return ops.scope(() => {
    const [left, right] = [partsOf(a), partsOf(b)];
    const { terms } = operandExtent(a);
    const size = Math.min(a.format.blockSize, b.format.blockSize);
    const unit = 2 ** (integerElement(a.format.element).unitExponent + integerElement(b.format.element).unitExponent);
    let y: Tensor | undefined;
    for (let start = 0; start < terms; start += size) {
      const next = ops.scope(() => {
        const count = Math.min(size, terms - start);
        const sums = products(ops, part(ops, left.codes, start, count), part(ops, right.codes, start, count));
        const scaleA = halves(ops, part(ops, left.inverses, Math.floor(start / a.format.blockSize), 1));
        const columns = part(ops, right.inverses, Math.floor(start / b.format.blockSize), 1);
        const term = scaled(ops, ops.multiply(sums, unit), scaleA, halves(ops, ops.transpose(columns)));
        return flushed(ops, ops.add(y ?? 0, term));
      });
      if (y !== undefined) ops.dispose(y);
      y = next;
    }
    return y!;
  });
}

/** [batch, rows, terms], whichever of its last two axes is contracted. */
function contractionLast(ops: EagerOperations, x: Tensor, axis: number, { batch }: { readonly batch: number }): Tensor {
  const matrices = ops.reshape(x, [batch, ...x.shape.slice(-2)]);
  return axis === x.shape.length - 1 ? matrices : ops.transpose(matrices);
}

function planOf({ batch, rows, terms }: ReturnType<typeof operandExtent>, blockSize: number): Blocking {
  return planBlocks([batch, rows, terms], 2, blockSize);
}

/** `count` places of the last axis of [batch, rows, …]. */
function part(ops: EagerOperations, x: Tensor, start: number, count: number): Tensor {
  const [batch, rows] = x.shape as [number, number, number];
  return ops.slice(x, [0, 0, start], [batch, rows, count]);
}

/** [batch, m, k] · [batch, n, k]ᵀ; a batch of 1 is shared by all. */
function products(ops: EagerOperations, a: Tensor, b: Tensor): Tensor {
  const matrix = (x: Tensor) => ops.reshape(x, x.shape.slice(1));
  if (b.shape[0] === 1) return ops.matmul(a, matrix(b), { transposeB: true });
  return ops.matmul(a.shape[0] === 1 ? matrix(a) : a, b, { transposeB: true });
}

interface Halves {
  readonly first: Tensor;
  readonly second: Tensor;
}

/** A scale as two factors: the first from 2^-63 to 2^63, the second what is beyond it. */
function halves(ops: EagerOperations, inverse: Tensor): Halves {
  return ops.scope(() => {
    const near = ops.minimum(ops.maximum(inverse, 2 ** -63), 2 ** 63);
    return { first: ops.divide(1, near), second: ops.divide(near, inverse) };
  });
}

/**
 * x·a·b, exact or ±Infinity, with 0 for what is below the normal numbers. By the first factors x stays where it is
 * exact, unless the result is out of range too; whether it is, is decided before the second ones, which could round it.
 */
function scaled(ops: EagerOperations, x: Tensor, a: Halves, b: Halves): Tensor {
  return ops.scope(() => {
    const near = ops.multiply(ops.multiply(x, a.first), b.first);
    const beyond = ops.multiply(ops.divide(1, a.second), ops.divide(1, b.second));
    const tooSmall = ops.less(ops.absolute(near), ops.multiply(beyond, smallestNormal));
    return ops.multiply(ops.multiply(ops.where(tooSmall, 0, near), a.second), b.second);
  });
}

function flushed(ops: EagerOperations, x: Tensor): Tensor {
  return ops.scope(() => ops.where(ops.less(ops.absolute(x), smallestNormal), 0, x));
}
