import {
  type DrawKey,
  type EncodedOperand,
  type FakeQuantizeOptions,
  LmdError,
  type OperandPrecision,
  type Operations,
  type Quantization,
  roundingDefaults,
  streamOf,
  type Tensor,
} from '@lmd/core';

/** Identifies an operand of a product, for the noise of stochastic rounding. */
export interface OperandName {
  readonly key: DrawKey;
  /** Such as `blocks.0.mlp.up/forward/weights`. */
  readonly name: string;
}

/**
 * Quantizes one operand of a product, without a gradient. `axis` is the contraction axis. `f32` returns `x`.
 */
export function roundOperand(
  ops: Operations,
  x: Tensor,
  precision: OperandPrecision,
  axis: number,
  operand: OperandName,
): Tensor {
  if (precision === 'f32') return x;
  if (precision === 'bf16') return ops.roundToBfloat16(x);
  return ops.fakeQuantize(x, quantizeOptions(precision, axis, operand));
}

/** The codes of one operand of an exact product; their values equal those of `roundOperand`. */
export function encodeOperand(
  ops: Operations,
  x: Tensor,
  precision: Quantization,
  axis: number,
  operand: OperandName,
): EncodedOperand {
  return ops.encodeOperand(x, quantizeOptions(precision, axis, operand));
}

function quantizeOptions(precision: Quantization, axis: number, operand: OperandName): FakeQuantizeOptions {
  if (typeof precision !== 'object' || precision === null || !('format' in precision)) {
    throw new LmdError('INVALID_ARGUMENT', `${operand.name} has the precision ${JSON.stringify(precision)}.`, {
      subject: operand.name,
      value: precision,
      remedy: "Use 'f32', 'bf16', or { format, rounding, scaleMode } with a block format.",
    });
  }
  const { format, rounding = roundingDefaults.rounding, scaleMode = roundingDefaults.scaleMode } = precision;
  return {
    format,
    axis,
    rounding,
    scaleMode,
    ...(rounding === 'stochastic' ? { key: { ...keyFields(operand.key), stream: streamOf(operand.name) } } : {}),
  };
}

/** `roundOperand` with a straight-through gradient, which needs neither `x` nor the result. */
export function roundStraightThrough(
  ops: Operations,
  x: Tensor,
  precision: OperandPrecision,
  axis: number,
  operand: OperandName,
): Tensor {
  if (precision === 'f32') return x;
  return ops.customGradient([x], {
    forward: (plain, [source]) => roundOperand(plain, source!, precision, axis, operand),
    backward: (_, dy) => [dy],
    saves: { inputs: [], output: false },
  });
}

function keyFields({ seed, step, sample }: DrawKey): DrawKey {
  return { seed, step, sample };
}
