import { checkByteArray } from './arrays.js';
import { type BlockFormat, type FormatName, formatNamed } from './block-formats.js';
import { describeShape, describeValue, MxFormatError } from './errors.js';
import { type Grid, gridOf } from './grid.js';
import { checkBlockSize, checkTensorScale, type Extent, extentOf } from './options.js';
import { packedLength } from './pack.js';

/** A quantized tensor: packed codes, and the scales of their blocks. Plain data, fit for a file or `postMessage`. */
export interface MxTensor {
  readonly format: BlockFormat;
  /** Row-major. */
  readonly shape: readonly number[];
  /** The axis along which blocks run, counted from the first. */
  readonly axis: number;
  readonly blockSize: number;
  /** One a block, row-major in the shape with ⌈length / blockSize⌉ in place of the axis' length. E8M0 or E4M3 codes. */
  readonly scales: Uint8Array;
  /** The elements' codes in row-major order as one dense stream of bits (see `pack`). */
  readonly codes: Uint8Array;
  /** The FP32 scale of the whole tensor under formats with E4M3 scales; 1 otherwise. */
  readonly tensorScale: number;
}

/** A quantized tensor as it may be given: its format also by name, as a file has it. */
export interface MxTensorInput extends Omit<MxTensor, 'format'> {
  readonly format: FormatName | BlockFormat;
}

/** Quantities that follow from the shape of a quantized tensor. */
export interface CheckedTensor extends Extent {
  readonly grid: Grid;
  readonly format: BlockFormat;
  readonly count: number;
  readonly blockSize: number;
  readonly blocks: number;
}

/**
 * Checks that the parts of a quantized tensor, which may come from a file, agree.
 *
 * @throws MxFormatError naming the field
 */
export function checkTensor(tensor: MxTensorInput): CheckedTensor {
  if (typeof tensor !== 'object' || tensor === null) {
    throw new MxFormatError('INVALID_ARGUMENT', `The quantized tensor is ${describeValue(tensor)}.`, {
      subject: 'tensor',
      value: tensor,
      remedy: 'Pass what `quantize` makes: { format, shape, axis, blockSize, scales, codes, tensorScale }.',
    });
  }
  const format = typeof tensor.format === 'string' ? formatNamed(tensor.format) : tensor.format;
  const grid = gridOf(format);
  const extent = extentOf(tensor.shape, tensor.axis);
  const blockSize = checkBlockSize(tensor.blockSize);
  const count = extent.outer * extent.length * extent.inner;
  const blocks = Math.ceil(extent.length / blockSize);
  checkBytes('scales', tensor.scales, extent.outer * blocks * extent.inner, tensor.shape);
  checkBytes('codes', tensor.codes, packedLength(count, format.element.bits), tensor.shape);
  checkTensorScale(tensor.tensorScale);
  if (format.scale === 'e8m0' && tensor.tensorScale !== 1) {
    throw new MxFormatError('INVALID_ARGUMENT', `The tensor scale of ${format.name} is ${tensor.tensorScale}.`, {
      subject: 'tensorScale',
      value: tensor.tensorScale,
      remedy: 'Use 1: formats with E8M0 scales have no tensor scale.',
    });
  }
  return { ...extent, grid, format, count, blockSize, blocks };
}

function checkBytes(subject: string, bytes: Uint8Array, expected: number, shape: readonly number[]): void {
  checkByteArray(subject, bytes);
  if (bytes.length === expected) return;
  throw new MxFormatError(
    'SHAPE_MISMATCH',
    `There are ${bytes.length} bytes of ${subject} for the shape ${describeShape(shape)}.`,
    {
      subject,
      value: bytes.length,
      remedy: `Use ${expected}, or check the shape, the axis, the block size and the format.`,
    },
  );
}
