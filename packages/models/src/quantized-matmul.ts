import { type DrawKey, LmdError, type OperandPrecision, type Operations, type Precision, type Tensor } from '@lmd/core';
import { type OperandName, roundOperand, roundStraightThrough } from './operands.js';

export interface ProductOptions {
  readonly precision: Precision;
  /** Names the noise of this pass, for stochastic rounding. */
  readonly key: DrawKey;
  /** Names the product within the model, such as `blocks.0.mlp.up`. */
  readonly product: string;
  /** What the second operand is. Default `weights`; in attention both operands are activations. */
  readonly second?: 'weights' | 'activations';
  /** The last two axes of `b` are stored the other way round. Default false. */
  readonly transposeB?: boolean;
}

/**
 * A matrix product whose operands are rounded first, each along its own contraction axis, and whose gradient is
 * straight-through: x [..., m, k] · b [k, n] or [..., k, n] → [..., m, n].
 *
 * - Forward, x and b are rounded along k to `precision.forward`; sums are in f32.
 * - Backward, where an operand's precision is `f32` or `bf16`, it is the *rounded forward operand*: the exact derivative of
 *   the product that ran. (Values of the MX formats are BF16 numbers already, so `bf16` rounds dy alone.)
 * - Where it is a block format, each of the two backward products rounds the *unrounded* operand again along the axis that
 *   it contracts: x and dy along m (with a shared `b`, along batch and m together) for b's gradient, dy and b along n for x's.
 *
 * What it saves for the backward pass: the rounded copy of an activation (its source can then be freed), but weights
 * unrounded, since they are alive anyway and rounding them again is cheap beside the product. With `f32` everywhere it is the
 * plain product.
 */
export function quantizedMatmul(ops: Operations, x: Tensor, b: Tensor, options: ProductOptions): Tensor {
  const { precision, transposeB = false, second = 'weights' } = options;
  checkRanks(x, b, options.product);
  if (b.shape.length === 2 && x.shape.length > 2) {
    // One tall product: rows of all batches contract together in the weight gradient.
    const rows = ops.reshape(x, [-1, x.shape.at(-1)!]);
    const y = quantizedMatmul(ops, rows, b, options);
    return ops.reshape(y, [...x.shape.slice(0, -1), y.shape.at(-1)!]);
  }
  const first: OperandPlan = plan(options, 'activations', 'first', -1);
  const other: OperandPlan = plan(options, second, 'second', transposeB ? -1 : -2);
  const gradients = precision.backward.gradients;
  if ([first.forward, first.backward, other.forward, other.backward, gradients].every((p) => p === 'f32')) {
    return ops.matmul(x, b, { transposeB });
  }
  return ops.customGradient([saved(ops, x, first), saved(ops, b, other)], {
    forward: (plain, [a, c]) =>
      plain.matmul(forwardOperand(plain, a!, first), forwardOperand(plain, c!, other), { transposeB }),
    saves: { output: false },
    backward(plain, dy, [a, c], _output, [wantsFirst, wantsSecond]) {
      // Blocks run along an axis, so a block format rounds dy once for each product; the others round it once for both.
      const shared = isBlockFormat(gradients) ? undefined : roundGradient(plain, dy, -1, 'inputGradient', options);
      const roundDy = (axis: number, product: BackwardProduct): Tensor =>
        shared ?? roundGradient(plain, dy, axis, product, options);
      const gradientOfFirst = (): Tensor =>
        plain.matmul(
          roundDy(-1, 'inputGradient'),
          backwardOperand(plain, c!, other, transposeB ? -2 : -1, 'inputGradient'),
          { transposeB: !transposeB },
        );
      const gradientOfSecond = (): Tensor => {
        const rows = backwardOperand(plain, a!, first, -2, 'weightGradient');
        const rowGradients = roundDy(-2, 'weightGradient');
        return transposeB
          ? plain.matmul(rowGradients, rows, { transposeA: true })
          : plain.matmul(rows, rowGradients, { transposeA: true });
      };
      return [wantsFirst ? gradientOfFirst() : null, wantsSecond ? gradientOfSecond() : null];
    },
  });
}

type BackwardProduct = 'inputGradient' | 'weightGradient';

/** How one operand is rounded and what is saved of it. */
interface OperandPlan {
  readonly forward: OperandPrecision;
  readonly backward: OperandPrecision;
  /** The axis that the forward product contracts. */
  readonly axis: number;
  /** True where the rounded copy is what is saved, and what the product gets as its input. */
  readonly savesRounded: boolean;
  readonly name: (product: string) => OperandName;
}

function plan(
  options: ProductOptions,
  role: 'weights' | 'activations',
  position: 'first' | 'second',
  axis: number,
): OperandPlan {
  const backward = options.precision.backward[role];
  return {
    forward: options.precision.forward[role],
    backward,
    axis,
    savesRounded: role === 'activations' && !isBlockFormat(backward),
    name: (product) => ({ key: options.key, name: `${options.product}/${product}/${position}` }),
  };
}

function isBlockFormat(precision: OperandPrecision): boolean {
  return precision !== 'f32' && precision !== 'bf16';
}

/** What goes into the recorded product, and is saved by it. */
function saved(ops: Operations, x: Tensor, operand: OperandPlan): Tensor {
  return operand.savesRounded
    ? roundStraightThrough(ops, x, operand.forward, operand.axis, operand.name('forward'))
    : x;
}

function forwardOperand(ops: Operations, x: Tensor, operand: OperandPlan): Tensor {
  return operand.savesRounded ? x : roundOperand(ops, x, operand.forward, operand.axis, operand.name('forward'));
}

function backwardOperand(
  ops: Operations,
  x: Tensor,
  operand: OperandPlan,
  axis: number,
  product: BackwardProduct,
): Tensor {
  if (isBlockFormat(operand.backward)) return roundOperand(ops, x, operand.backward, axis, operand.name(product));
  const rounded = forwardOperand(ops, x, operand);
  // Whatever was rounded forward is a BF16 number already.
  return operand.backward === 'bf16' && operand.forward === 'f32' ? ops.roundToBfloat16(rounded) : rounded;
}

function roundGradient(
  ops: Operations,
  dy: Tensor,
  axis: number,
  product: BackwardProduct,
  options: ProductOptions,
): Tensor {
  const name = `${options.product}/${product}/gradients`;
  return roundOperand(ops, dy, options.precision.backward.gradients, axis, { key: options.key, name });
}

function checkRanks(x: Tensor, b: Tensor, product: string): void {
  if (
    b.shape.length >= 2 &&
    x.shape.length >= b.shape.length &&
    (b.shape.length === 2 || x.shape.length === b.shape.length)
  )
    return;
  throw new LmdError('SHAPE_MISMATCH', `The product ${product} cannot take [${x.shape}] · [${b.shape}].`, {
    subject: product,
    value: [x.shape, b.shape],
    remedy: 'The second operand has rank 2, or the rank of the first.',
  });
}
