import {
  type DrawKey,
  type EncodedOperand,
  LmdError,
  type OperandPrecision,
  type Operations,
  type Precision,
  type Tensor,
} from '@lmd/core';
import { type OperandName, roundOperand, roundStraightThrough } from './operands.js';
import { encoded, isBlockFormat, isExact, multiply, type ProductOperand } from './product-operand.js';

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
  /** Codes of `b` for the forward product, where they are there already. Not for products that are differentiated. */
  readonly encodedWeights?: ReadonlyMap<Tensor, EncodedOperand> | undefined;
}

/**
 * A matrix product whose operands are rounded first, each along its own contraction axis, and whose gradient is
 * straight-through: x [..., m, k] · b [k, n] or [..., k, n] → [..., m, n].
 *
 * - Forward, x and b are rounded along k to `precision.forward`. Where both are block formats whose products are exact (`hasExactProducts`),
 *   and the backend has the kernels, the product is that of their codes, and has the same bits on every such backend; else sums are in f32.
 * - Backward, where an operand's precision is `f32` or `bf16`, it is the *rounded forward operand*: the exact derivative of
 *   the product that ran. (Values of the MX formats are BF16 numbers already, so `bf16` rounds dy alone.)
 * - Where it is a block format, each of the two backward products rounds the *unrounded* operand again along the axis that
 *   it contracts: x and dy along m (with a shared `b`, along batch and m together) for b's gradient, dy and b along n for x's.
 *   These products are exact on the same terms.
 *
 * What it saves for the backward pass: of an activation the codes, or the rounded copy (its source can then be freed), but weights
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
  const plans = [
    plan(options, 'activations', 'first', -1),
    plan(options, second, 'second', transposeB ? -1 : -2),
  ] as const;
  const [first, other] = plans;
  const gradients = precision.backward.gradients;
  if ([first.forward, first.backward, other.forward, other.backward, gradients].every((p) => p === 'f32')) {
    return ops.matmul(x, b, { transposeB });
  }
  if (!isExact(ops, first.forward, other.forward)) {
    const sources = (inputs: readonly Tensor[]) =>
      plans.map((operand, i) => ({
        operand,
        unrounded: inputs[i]!,
        rounded: (plain: Operations) => forwardOperand(plain, inputs[i]!, operand),
      })) as [Source, Source];
    return ops.customGradient([saved(ops, x, first), saved(ops, b, other)], {
      forward: (plain, [a, c]) =>
        plain.matmul(forwardOperand(plain, a!, first), forwardOperand(plain, c!, other), { transposeB }),
      saves: { output: false },
      backward: (plain, dy, inputs, _output, needsGradient) =>
        gradientsOf(plain, dy, sources(inputs), needsGradient, options),
    });
  }
  let codes: readonly EncodedOperand[] = [];
  return ops.customGradient([x, b], {
    forward(plain, inputs, keep) {
      const known = [undefined, options.encodedWeights?.get(inputs[1]!)];
      codes = plans.map((operand, i) => known[i] ?? encoded(plain, forwardProduct(inputs[i]!, operand)));
      for (const [i, { savesRounded }] of plans.entries()) if (savesRounded) keep(codes[i]!.tensors);
      return plain.blockMatmul(codes[0]!, codes[1]!);
    },
    saves: { inputs: [0, 1].filter((i) => !plans[i]!.savesRounded), output: false },
    backward(plain, dy, inputs, _output, needsGradient) {
      const sources = plans.map((operand, i) => ({
        operand,
        unrounded: inputs[i]!,
        rounded: (on: Operations) =>
          operand.savesRounded
            ? on.decodeOperand(codes[i]!)
            : roundOperand(on, inputs[i]!, operand.forward, operand.axis, operand.name('forward')),
      })) as [Source, Source];
      return gradientsOf(plain, dy, sources, needsGradient, options);
    },
  });
}

type BackwardProduct = 'inputGradient' | 'weightGradient';

/** How one operand is rounded and what is saved of it. */
interface OperandPlan {
  readonly forward: OperandPrecision;
  readonly backward: OperandPrecision;
  /** The axis that the forward product contracts. */
  readonly axis: -1 | -2;
  /** True where what is saved is the rounded copy, or its codes. */
  readonly savesRounded: boolean;
  readonly name: (product: string) => OperandName;
}

function plan(
  options: ProductOptions,
  role: 'weights' | 'activations',
  position: 'first' | 'second',
  axis: -1 | -2,
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

/** An operand as the forward product takes it. */
function forwardProduct(tensor: Tensor, { forward, axis, name }: OperandPlan): ProductOperand {
  return { tensor, precision: forward, axis, name: name('forward') };
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

/** What the backward pass has of an operand. */
interface Source {
  readonly operand: OperandPlan;
  /** Its source, where a backward product rounds it to a block format. */
  readonly unrounded: Tensor;
  /** What the forward product took. */
  rounded(ops: Operations): Tensor;
}

function gradientsOf(
  ops: Operations,
  dy: Tensor,
  [first, second]: readonly [Source, Source],
  [wantsFirst, wantsSecond]: readonly boolean[],
  options: ProductOptions,
): readonly (Tensor | null)[] {
  const { transposeB = false, precision } = options;
  const { gradients } = precision.backward;
  const nameOf = (product: BackwardProduct): OperandName => ({
    key: options.key,
    name: `${options.product}/${product}/gradients`,
  });
  // Blocks run along an axis, so a block format rounds dy once for each product; the others round it once for both.
  const shared = isBlockFormat(gradients) ? undefined : roundOperand(ops, dy, gradients, -1, nameOf('inputGradient'));
  const gradient = (axis: -1 | -2, product: BackwardProduct): ProductOperand => ({
    tensor: dy,
    precision: gradients,
    axis,
    name: nameOf(product),
    ...(shared === undefined ? {} : { rounded: shared }),
  });
  const gradientOfFirst = (): Tensor =>
    multiply(ops, gradient(-1, 'inputGradient'), backwardOperand(ops, second, transposeB ? -2 : -1, 'inputGradient'));
  const gradientOfSecond = (): Tensor => {
    const rows = backwardOperand(ops, first, -2, 'weightGradient');
    const rowGradients = gradient(-2, 'weightGradient');
    return transposeB ? multiply(ops, rowGradients, rows) : multiply(ops, rows, rowGradients);
  };
  return [wantsFirst ? gradientOfFirst() : null, wantsSecond ? gradientOfSecond() : null];
}

function backwardOperand(
  ops: Operations,
  { operand, unrounded, rounded }: Source,
  axis: -1 | -2,
  product: BackwardProduct,
): ProductOperand {
  const { forward, backward, name } = operand;
  const own = { tensor: unrounded, precision: backward, axis, name: name(product) };
  if (isBlockFormat(backward)) return own;
  const values = rounded(ops);
  // Whatever was rounded forward is a BF16 number already.
  return { ...own, rounded: backward === 'bf16' && forward === 'f32' ? ops.roundToBfloat16(values) : values };
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
