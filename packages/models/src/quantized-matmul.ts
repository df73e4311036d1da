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
  /** Random key of this pass, for stochastic rounding. */
  readonly key: DrawKey;
  /** Name of the product within the model, such as `blocks.0.mlp.up`. */
  readonly product: string;
  /** Role of the second operand. Default `weights`; in attention both operands are activations. */
  readonly second?: 'weights' | 'activations';
  /** Whether the last two axes of `b` are transposed. Default false. */
  readonly transposeB?: boolean;
  /** Existing codes of `b` for the forward product. Not for products that are differentiated. */
  readonly encodedWeights?: ReadonlyMap<Tensor, EncodedOperand> | undefined;
}

/**
 * A matrix product of quantized operands, each quantized along its contraction axis, with a straight-through gradient:
 * x [..., m, k] · b [k, n] or [..., k, n] → [..., m, n].
 *
 * - Forward: x and b are quantized along k to `precision.forward`. If both are block formats with exact products
 * (`hasExactProducts`) and the backend has the kernels, the product is computed from their codes, bit-identical on all
 * such backends; otherwise sums are in f32.
 * - Backward, if the precision of an operand is `f32` or `bf16`: the *quantized forward operand* is used, which gives
 * the exact derivative of the computed product. (Values of the MX formats are exact in BF16, so `bf16` rounds only dy.)
 * - Backward, if it is a block format: each of the two backward products quantizes the *unquantized* operand again
 * along the axis that it contracts: x and dy along m (with a shared `b`, along batch and m together) for the gradient
 * of b, dy and b along n for that of x. These products are exact under the same conditions.
 *
 * Saved for the backward pass: the codes of an exact product's operands, or the quantized copy of an activation (its
 * source can then be freed); other weights unquantized, since they are in memory anyway. With `f32` everywhere it is
 * the plain product.
 */
export function quantizedMatmul(ops: Operations, x: Tensor, b: Tensor, options: ProductOptions): Tensor {
  const { precision, transposeB = false, second = 'weights' } = options;
  checkRanks(x, b, options.product);
  if (b.shape.length === 2 && x.shape.length > 2) {
    // One product with the rows of all batches, which the weight gradient contracts together.
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
      for (const [i, operand] of plans.entries()) {
        if (savesCodes(operand) && known[i] === undefined) keep(codes[i]!.tensors);
      }
      return plain.blockMatmul(codes[0]!, codes[1]!);
    },
    saves: { inputs: [0, 1].filter((i) => !savesCodes(plans[i]!)), output: false },
    backward(plain, dy, inputs, _output, needsGradient) {
      const sources = plans.map((operand, i) => ({
        operand,
        unrounded: inputs[i]!,
        rounded: (on: Operations) => on.decodeOperand(codes[i]!),
        ...(savesCodes(operand) ? { codes: codes[i]! } : {}),
      })) as [Source, Source];
      return gradientsOf(plain, dy, sources, needsGradient, options);
    },
  });
}

type BackwardProduct = 'inputGradient' | 'weightGradient';

/** How one operand is quantized and what is saved of it. */
interface OperandPlan {
  readonly forward: OperandPrecision;
  readonly backward: OperandPrecision;
  /** The axis that the forward product contracts. */
  readonly axis: -1 | -2;
  /** Whether the quantized copy, or its codes, are saved. */
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

/** Inputs of the recorded product, which it saves. */
function saved(ops: Operations, x: Tensor, operand: OperandPlan): Tensor {
  return operand.savesRounded
    ? roundStraightThrough(ops, x, operand.forward, operand.axis, operand.name('forward'))
    : x;
}

function forwardOperand(ops: Operations, x: Tensor, operand: OperandPlan): Tensor {
  return operand.savesRounded ? x : roundOperand(ops, x, operand.forward, operand.axis, operand.name('forward'));
}

/** The saved data of an operand in the backward pass. */
interface Source {
  readonly operand: OperandPlan;
  /** The unquantized operand, if a backward product quantizes it to a block format. */
  readonly unrounded: Tensor;
  /** The operand of the forward product. */
  rounded(ops: Operations): Tensor;
  /** Its codes, where they are saved. */
  readonly codes?: EncodedOperand;
}

/** Whether the codes of an exact product are what its backward products need of an operand. */
const savesCodes = ({ backward }: OperandPlan): boolean => !isBlockFormat(backward);

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
  // Blocks run along an axis, so a block format quantizes dy for each product; other formats do it once for both.
  const shared = isBlockFormat(gradients) ? undefined : roundOperand(ops, dy, gradients, -1, nameOf('inputGradient'));
  const gradient = (axis: -1 | -2, product: BackwardProduct): ProductOperand => ({
    tensor: dy,
    precision: gradients,
    axis,
    name: nameOf(product),
    ...(shared === undefined ? {} : { rounded: shared }),
  });
  const gradientOfFirst = (): Tensor =>
    multiply(
      ops,
      gradient(-1, 'inputGradient'),
      backwardOperand(ops, second, transposeB ? -2 : -1, 'inputGradient', dy.shape.at(-2) === 1),
    );
  const gradientOfSecond = (): Tensor => {
    const rows = backwardOperand(ops, first, -2, 'weightGradient', false);
    const rowGradients = gradient(-2, 'weightGradient');
    return transposeB ? multiply(ops, rowGradients, rows) : multiply(ops, rows, rowGradients);
  };
  return [wantsFirst ? gradientOfFirst() : null, wantsSecond ? gradientOfSecond() : null];
}

function backwardOperand(
  ops: Operations,
  { operand, unrounded, rounded, codes }: Source,
  axis: -1 | -2,
  product: BackwardProduct,
  isOneRow: boolean,
): ProductOperand {
  const { forward, backward, name } = operand;
  const own = { tensor: unrounded, precision: backward, axis, name: name(product) };
  if (isBlockFormat(backward)) return own;
  if (codes !== undefined && codes.axis === codes.shape.length - 2 && !isOneRow) {
    // Decoded as codes lie, the contraction axis last, which costs no transpose.
    return { ...own, axis: axis === -1 ? -2 : -1, rounded: ops.decodeOperand(turned(codes)) };
  }
  const values = rounded(ops);
  // Quantized forward operands are already exact in BF16.
  return { ...own, rounded: backward === 'bf16' && forward === 'f32' ? ops.roundToBfloat16(values) : values };
}

/** The same codes as those of the transposed matrices, whose other axis is contracted. */
function turned({ shape, axis, ...operand }: EncodedOperand): EncodedOperand {
  const rank = shape.length;
  return { ...operand, shape: [...shape.slice(0, -2), shape[rank - 1]!, shape[rank - 2]!], axis: 2 * rank - 3 - axis };
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
    remedy: 'The second operand must have rank 2 or the rank of the first.',
  });
}
