import { type ElementFormat, LmdError, type Rounding, refuseUnknownOptions, type ScaleMode } from '@lmd/core';
import { type BlockFormat, type FormatName, formats, roundings, scaleModes } from '@lmd/mx-formats';

/** How the operands of a layer's product are rounded: a block format by name or record, BF16, or not at all. */
export type OperandFormat = FormatName | BlockFormat | 'bf16' | 'fp32';

export interface LayerPrecisionOptions {
  readonly weights: OperandFormat;
  readonly activations: OperandFormat;
  /** How the incoming gradient is rounded for both backward products. Default `bf16`. */
  readonly gradients?: 'bf16' | 'fp32';
  /** Default `nearestEven`. */
  readonly rounding?: Exclude<Rounding, 'stochastic'>;
  /** Default `floor`, the OCP default. */
  readonly scaleMode?: ScaleMode;
}

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

const optionNames = ['weights', 'activations', 'gradients', 'rounding', 'scaleMode'];

/**
 * @throws LmdError `UNKNOWN_OPTION`, or `INVALID_ARGUMENT` naming the option, with the values there are
 */
export function resolvePrecision(owner: string, precision: LayerPrecision): ResolvedPrecision {
  if (typeof precision === 'string' || isBlockFormat(precision)) {
    const operand = operandFormat(owner, 'precision', precision);
    const gradients = operand === 'fp32' ? 'fp32' : 'bf16';
    return { weights: operand, activations: operand, gradients, rounding: 'nearestEven', scaleMode: 'floor' };
  }
  if (typeof precision !== 'object' || precision === null || Array.isArray(precision)) {
    throw invalid(
      owner,
      'precision',
      precision,
      `Use ${operandNames.join(', ')}, or a record with ${optionNames.join(', ')}.`,
    );
  }
  refuseUnknownOptions(`${owner}: precision`, precision, optionNames);
  const { gradients, rounding, scaleMode } = precision;
  return {
    weights: operandFormat(owner, 'precision.weights', precision.weights),
    activations: operandFormat(owner, 'precision.activations', precision.activations),
    gradients: choice(owner, 'precision.gradients', gradients ?? 'bf16', ['bf16', 'fp32']),
    // A layer has no step to draw the noise of stochastic rounding from: `quantizeMX` takes a key.
    rounding: choice(owner, 'precision.rounding', rounding ?? 'nearestEven', deterministicRoundings),
    scaleMode: choice(owner, 'precision.scaleMode', scaleMode ?? 'floor', scaleModes),
  };
}

type Deterministic = Exclude<Rounding, 'stochastic'>;
const deterministicRoundings = roundings.filter((name): name is Deterministic => name !== 'stochastic');
const operandNames = ['fp32', 'bf16', ...Object.keys(formats)];

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

export function choice<T extends string>(owner: string, name: string, value: T, choices: readonly T[]): T {
  if (choices.includes(value)) return value;
  throw invalid(owner, name, value, `Use one of ${choices.join(', ')}.`);
}

export function invalid(owner: string, subject: string, value: unknown, remedy: string): LmdError {
  const shown = typeof value === 'object' && value !== null ? 'an object' : (JSON.stringify(value) ?? String(value));
  return new LmdError('INVALID_ARGUMENT', `${owner}: ${subject} is ${shown}.`, { subject, value, remedy });
}
