import {
  defaultsOf,
  type ElementFormat,
  LmdError,
  type OptionsOf,
  type OptionTable,
  option,
  type Rounding,
  resolveOptions,
  roundingOptionTable,
  type ScaleMode,
} from '@lmd/core';
import { type BlockFormat, type FormatName, formats, roundings } from '@lmd/mx-formats';

/** How the operands of a layer's product are rounded: a block format by name or record, BF16, or not at all. */
export type OperandFormat = FormatName | BlockFormat | 'bf16' | 'fp32';

type Deterministic = Exclude<Rounding, 'stochastic'>;
const deterministicRoundings = roundings.filter((name): name is Deterministic => name !== 'stochastic');
const operandNames: readonly string[] = ['fp32', 'bf16', ...Object.keys(formats)];

function operandOption(describe: string) {
  return option.value<OperandFormat>({
    describe,
    required: true,
    allowed: `one of ${operandNames.join(', ')}, or a block format's record`,
    check: (value) => operandNames.includes(value as string) || isBlockFormat(value),
  });
}

/** The options of a layer's precision, declared once. */
export const layerPrecisionOptionTable = {
  /**
   * Format of the weights. One of fp32, bf16, mxfp8_e5m2, mxfp8_e4m3, mxfp6_e3m2, mxfp6_e2m3, mxfp4_e2m1, mxint8,
   * nvfp4, or a block format's record; required.
   */
  weights: operandOption('Format of the weights.'),
  /**
   * Format of the activations. One of fp32, bf16, mxfp8_e5m2, mxfp8_e4m3, mxfp6_e3m2, mxfp6_e2m3, mxfp4_e2m1, mxint8,
   * nvfp4, or a block format's record; required.
   */
  activations: operandOption('Format of the activations.'),
  /** Format of the incoming gradient in both backward products. `bf16` or `fp32`; default `bf16`. */
  gradients: option.choice(['bf16', 'fp32'], {
    default: 'bf16',
    describe: 'Format of the incoming gradient in both backward products.',
  }),
  // A layer has no step to draw the noise of stochastic rounding from: `quantizeMX` takes a key.
  /**
   * Rounding of an element between two representable values. `nearestEven`, `nearestAway` or `towardZero`; default
   * `nearestEven`.
   */
  rounding: option.choice(deterministicRoundings, {
    default: 'nearestEven',
    describe: 'Rounding of an element between two representable values.',
  }),
  /**
   * How the power-of-two scale of a block is computed from its largest magnitude; the default follows OCP MX v1.0.
   * `floor`, `ceil`, `rceil` or `even`; default `floor`.
   */
  scaleMode: roundingOptionTable.scaleMode,
} as const satisfies OptionTable;

export interface LayerPrecisionOptions extends OptionsOf<typeof layerPrecisionOptionTable> {}

/**
 * A layer's precision: `fp32` rounds nothing; `bf16` rounds both operands and the incoming gradient to BF16; a block
 * format's name rounds both operands to that format, and the incoming gradient to BF16. A record says each by itself.
 */
export type LayerPrecision = OperandFormat | LayerPrecisionOptions;

export interface ResolvedPrecision {
  readonly weights: BlockFormat | 'bf16' | 'fp32';
  readonly activations: BlockFormat | 'bf16' | 'fp32';
  readonly gradients: 'bf16' | 'fp32';
  readonly rounding: Exclude<Rounding, 'stochastic'>;
  readonly scaleMode: ScaleMode;
}

/**
 * @throws LmdError `UNKNOWN_OPTION`, or `INVALID_ARGUMENT` naming the option, with the values there are
 */
export function resolvePrecision(owner: string, precision: LayerPrecision): ResolvedPrecision {
  if (typeof precision === 'string' || isBlockFormat(precision)) {
    const operand = operandFormat(owner, 'precision', precision);
    const gradients = operand === 'fp32' ? 'fp32' : 'bf16';
    return { ...defaultsOf(layerPrecisionOptionTable), weights: operand, activations: operand, gradients };
  }
  if (typeof precision !== 'object' || precision === null || Array.isArray(precision)) {
    const names = Object.keys(layerPrecisionOptionTable);
    throw invalid(
      owner,
      'precision',
      precision,
      `Use ${operandNames.join(', ')}, or a record with ${names.join(', ')}.`,
    );
  }
  const { weights, activations, ...rest } = resolveOptions(`${owner}: precision`, layerPrecisionOptionTable, precision);
  return {
    ...rest,
    weights: operandFormat(owner, 'weights', weights),
    activations: operandFormat(owner, 'activations', activations),
  };
}

function operandFormat(owner: string, name: string, value: OperandFormat): ResolvedPrecision['weights'] {
  if (value === 'fp32' || value === 'bf16') return value;
  return blockFormat(owner, name, value);
}

/** A block format from its name or record. Throws `INVALID_ARGUMENT` with the names there are. */
export function blockFormat(owner: string, name: string, value: unknown): BlockFormat {
  if (typeof value === 'string' && Object.hasOwn(formats, value)) return formats[value as FormatName];
  if (isBlockFormat(value)) return value;
  throw invalid(owner, name, value, `Use one of ${Object.keys(formats).join(', ')}, or a block format's record.`);
}

export function isBlockFormat(value: unknown): value is BlockFormat {
  if (typeof value !== 'object' || value === null) return false;
  const { element, blockSize, scale } = value as Partial<BlockFormat>;
  return (
    typeof (element as ElementFormat | undefined)?.kind === 'string' &&
    typeof blockSize === 'number' &&
    typeof scale === 'string'
  );
}

export function invalid(owner: string, subject: string, value: unknown, remedy: string): LmdError {
  const shown = typeof value === 'object' && value !== null ? 'an object' : (JSON.stringify(value) ?? String(value));
  return new LmdError('INVALID_ARGUMENT', `${owner}: ${subject} is ${shown}.`, { subject, value, remedy });
}
