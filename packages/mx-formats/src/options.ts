import { type BlockFormat, type FormatName, formatNamed } from './block-formats.js';
import { describeShape, describeValue, MxFormatError } from './errors.js';
import { type Grid, gridOf } from './grid.js';
import { checkRandomKey, type RandomKey } from './philox.js';

/**
 * How an element that falls between two codes is rounded. `nearestEven`: to the nearer, ties to the even code.
 * `nearestAway`: to the nearer, ties away from zero. `towardZero`: to the smaller magnitude. `stochastic`: away from
 * zero with the probability that keeps the mean.
 */
export type Rounding = 'nearestEven' | 'nearestAway' | 'towardZero' | 'stochastic';

/**
 * How a block's power-of-two scale follows from its largest magnitude A. `floor`: 2^(⌊log2 A⌋ − emax) (OCP MX v1.0,
 * section 6.3). `ceil`: 2^(⌈log2 A⌉ − emax). `rceil`: 2^⌈log2(A / largest)⌉, the smallest that clips nothing. `even`: A
 * is first rounded to the element's mantissa, ties to even, then as `floor`.
 */
export type ScaleMode = 'floor' | 'ceil' | 'rceil' | 'even';

export const roundings: readonly Rounding[] = Object.freeze(['nearestEven', 'nearestAway', 'towardZero', 'stochastic']);
export const scaleModes: readonly ScaleMode[] = Object.freeze(['floor', 'ceil', 'rceil', 'even']);

export interface QuantizeOptions {
  /** A format's name, or a record. */
  readonly format: FormatName | BlockFormat;
  /** The row-major shape of the values. Default: one dimension. */
  readonly shape?: readonly number[];
  /** The axis along which blocks run; negative counts from the end. Default: −1. */
  readonly axis?: number;
  /**
   * Number of elements that share a scale, up to 2^31 − 1; the length of a row gives one scale per row. Default: that
   * of the format.
   */
  readonly blockSize?: number;
  /** Default: `nearestEven`. `stochastic` needs `seed` or `key`. */
  readonly rounding?: Rounding;
  /** Default: `floor`. E4M3 scales are computed from the magnitudes and support no other mode. */
  readonly scaleMode?: ScaleMode;
  /**
   * For E4M3 scales: the FP32 scale of the whole tensor, if it is known in advance; 1 for none. Default: the largest
   * finite magnitude / (448 · the element's largest), so that the largest block scale is 448.
   */
  readonly tensorScale?: number;
  /**
   * Seed of stochastic rounding: an integer in [0, 2^53). Short for the key { seed, stream: 0, step: 0, sample: 0 }.
   */
  readonly seed?: number;
  /** The stream of random numbers of stochastic rounding. */
  readonly key?: RandomKey;
}

const optionNames = new Set([
  'format',
  'shape',
  'axis',
  'blockSize',
  'rounding',
  'scaleMode',
  'tensorScale',
  'seed',
  'key',
]);

/** Options with every default filled in and everything checked. */
export interface Plan extends Extent {
  readonly format: BlockFormat;
  readonly grid: Grid;
  readonly shape: readonly number[];
  readonly blockSize: number;
  /** Blocks along the axis, a short last one included. */
  readonly blocks: number;
  readonly rounding: Rounding;
  readonly scaleMode: ScaleMode;
  /** As the caller gave it. */
  readonly tensorScale: number | undefined;
  readonly key: RandomKey | undefined;
}

/** A shape seen from one of its axes: [outer, length, inner], row-major. */
export interface Extent {
  readonly axis: number;
  readonly outer: number;
  /** Elements along the axis. */
  readonly length: number;
  readonly inner: number;
}

/**
 * Checks the options of `fakeQuantize` and `quantize` against the number of values.
 *
 * @throws MxFormatError `UNKNOWN_OPTION`, `INVALID_ARGUMENT` or `SHAPE_MISMATCH`, naming the option.
 */
export function planOf(count: number, options: QuantizeOptions): Plan {
  if (typeof options !== 'object' || options === null) {
    throw new MxFormatError('INVALID_ARGUMENT', `The options are ${describeValue(options)}.`, {
      subject: 'options',
      value: options,
      remedy: 'Use a record with a `format`.',
    });
  }
  for (const name in options) {
    if (!optionNames.has(name)) {
      throw new MxFormatError('UNKNOWN_OPTION', `Quantization has no option ${JSON.stringify(name)}.`, {
        subject: name,
        value: (options as unknown as Record<string, unknown>)[name],
        remedy: `Its options are ${[...optionNames].join(', ')}.`,
      });
    }
  }
  const format = typeof options.format === 'string' ? formatNamed(options.format) : options.format;
  const grid = gridOf(format);
  const shape = options.shape ?? [count];
  const extent = extentOf(shape, options.axis ?? -1);
  checkCount(shape, extent, count);
  const blockSize = checkBlockSize(options.blockSize ?? format.blockSize);
  const rounding = oneOf('rounding', options.rounding ?? 'nearestEven', roundings);
  const scaleMode = oneOf('scaleMode', options.scaleMode ?? 'floor', scaleModes);
  checkScaleOptions(format, options);
  return {
    ...extent,
    format,
    grid,
    shape,
    blockSize,
    blocks: Math.ceil(extent.length / blockSize),
    rounding,
    scaleMode,
    tensorScale: options.tensorScale,
    key: randomKeyOf(options, rounding),
  };
}

/** @throws MxFormatError `INVALID_ARGUMENT` for an axis out of range or a size that is not a whole number */
export function extentOf(shape: readonly number[], asked: number): Extent {
  if (!Array.isArray(shape)) {
    throw new MxFormatError('INVALID_ARGUMENT', `The shape is ${describeValue(shape)}.`, {
      subject: 'shape',
      value: shape,
      remedy: 'Use an array of sizes, row-major.',
    });
  }
  const rank = shape.length;
  if (!Number.isInteger(asked) || asked < -rank || asked >= rank) {
    throw new MxFormatError(
      'INVALID_ARGUMENT',
      `The axis ${describeValue(asked)} is out of range for the shape ${describeShape(shape)}.`,
      {
        subject: 'axis',
        value: asked,
        remedy:
          rank === 0 ? 'A scalar has no axis: give it the shape [1].' : `Use an integer from ${-rank} to ${rank - 1}.`,
      },
    );
  }
  const axis = asked < 0 ? asked + rank : asked;
  let outer = 1;
  let inner = 1;
  for (let i = 0; i < rank; i++) {
    const size = shape[i]!;
    if (!Number.isSafeInteger(size) || size < 0) {
      throw new MxFormatError(
        'INVALID_ARGUMENT',
        `The shape ${describeShape(shape)} has a size of ${describeValue(size)}.`,
        {
          subject: 'shape',
          value: shape,
          remedy: 'Use whole numbers from 0 to 2^53 − 1.',
        },
      );
    }
    if (i < axis) outer *= size;
    if (i > axis) inner *= size;
  }
  const length = shape[axis]!;
  // Of no elements there are no blocks, however large the other sizes are.
  if (outer === 0 || length === 0 || inner === 0) return { axis, outer: 0, length: 0, inner: 0 };
  return { axis, outer, length, inner };
}

function checkCount(shape: readonly number[], { outer, length, inner }: Extent, count: number): void {
  const held = outer * length * inner;
  if (held === count) return;
  throw new MxFormatError(
    'SHAPE_MISMATCH',
    `The shape ${describeShape(shape)} holds ${held} values, but there are ${count}.`,
    { subject: 'shape', value: shape, remedy: 'Pass the row-major shape of the values.' },
  );
}

/** The largest block: kernels count its elements in signed 32-bit integers. */
const largestBlockSize = 2 ** 31 - 1;

/** @throws MxFormatError `INVALID_ARGUMENT` for anything but a whole number from 1 to 2^31 − 1 */
export function checkBlockSize(blockSize: number): number {
  if (Number.isInteger(blockSize) && blockSize >= 1 && blockSize <= largestBlockSize) return blockSize;
  throw new MxFormatError('INVALID_ARGUMENT', `The block size is ${describeValue(blockSize)}.`, {
    subject: 'blockSize',
    value: blockSize,
    remedy: `Use a whole number from 1 to ${largestBlockSize}; a block never extends beyond its row.`,
  });
}

/**
 * The bounds of a tensor scale: within them neither its products with E4M3 scales nor the reciprocals of those
 * overflow.
 */
export const smallestTensorScale = 2 ** -120;
export const largestTensorScale = 2 ** 118;

/** @throws MxFormatError `INVALID_ARGUMENT` for anything but a float32 from 2^-120 to 2^118 */
export function checkTensorScale(tensorScale: number): void {
  const usable =
    typeof tensorScale === 'number' && tensorScale >= smallestTensorScale && tensorScale <= largestTensorScale;
  if (usable && Math.fround(tensorScale) === tensorScale) return;
  throw new MxFormatError('INVALID_ARGUMENT', `The tensor scale is ${describeValue(tensorScale)}.`, {
    subject: 'tensorScale',
    value: tensorScale,
    remedy: 'Use a float32 number (Math.fround rounds to one) from 2^-120 to 2^118.',
  });
}

function checkScaleOptions(format: BlockFormat, { scaleMode = 'floor', tensorScale }: QuantizeOptions): void {
  if (format.scale === 'e8m0') {
    if (tensorScale !== undefined) throw unusedOption(format, 'tensorScale', tensorScale);
  } else {
    if (scaleMode !== 'floor') throw unusedOption(format, 'scaleMode', scaleMode);
    if (tensorScale !== undefined) checkTensorScale(tensorScale);
  }
}

function unusedOption(format: BlockFormat, subject: string, value: unknown): MxFormatError {
  return new MxFormatError(
    'UNSUPPORTED',
    `${format.name} has ${format.scale} scales, which take no ${subject} ${describeValue(value)}.`,
    {
      subject,
      value,
      remedy: `Leave ${subject} out.`,
    },
  );
}

function randomKeyOf({ seed, key }: QuantizeOptions, rounding: Rounding): RandomKey | undefined {
  if (seed !== undefined && key !== undefined) {
    throw new MxFormatError('INVALID_ARGUMENT', 'Both `seed` and `key` are set.', {
      subject: 'seed',
      value: seed,
      remedy: 'Use one of them: `seed` is short for a key with stream, step and sample 0.',
    });
  }
  const chosen = key ?? (seed === undefined ? undefined : { seed, stream: 0, step: 0, sample: 0 });
  if (chosen !== undefined) checkRandomKey(chosen);
  else if (rounding === 'stochastic') {
    throw new MxFormatError('INVALID_ARGUMENT', 'Stochastic rounding has no random numbers.', {
      subject: 'seed',
      value: undefined,
      remedy: 'Pass `seed`, an integer, or `key`.',
    });
  }
  return chosen;
}

function oneOf<Name extends string>(subject: string, value: Name, allowed: readonly Name[]): Name {
  if (!allowed.includes(value)) {
    throw new MxFormatError('INVALID_ARGUMENT', `The ${subject} is ${describeValue(value)}.`, {
      subject,
      value,
      remedy: `Use one of ${allowed.join(', ')}.`,
    });
  }
  return value;
}
