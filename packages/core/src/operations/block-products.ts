import { type EncodedOperand, hasExactProducts, largestFactor, operandExtent } from '../block-products.js';
import { compositions } from '../compositions/index.js';
import { LmdError } from '../errors.js';
import type { BlockFormat } from '../formats.js';
import type { EagerOperations } from '../operations.js';
import { sizeOf, type Tensor } from '../tensor.js';
import { type Check, type Context, floats } from './context.js';
import { resolveOptions } from './quantization.js';
import { formatShape, sameShape, shapeMismatch } from './shapes.js';

export type BlockProductOperations = Pick<EagerOperations, 'encodeOperand' | 'decodeOperand' | 'blockMatmul'>;

export function blockProductOperations(context: Context, operations: () => EagerOperations): BlockProductOperations {
  const { backend, constant, size, track } = context;
  const check: Check = context.check;
  const { encodeOperand, decodeOperand, blockMatmul } = backend.fused;
  // The tensors of an operand are of one making.
  const kernels =
    encodeOperand && decodeOperand && blockMatmul ? { encodeOperand, decodeOperand, blockMatmul } : undefined;

  function checkOperand(name: string, { tensors }: EncodedOperand): void {
    for (const x of Object.values(tensors)) check(name, x);
  }

  return {
    encodeOperand(x, options) {
      const name = 'encodeOperand';
      check(name, x, floats);
      const resolved = resolveOptions(name, x, options);
      const { format, axis } = resolved;
      checkAxis(name, x, axis);
      checkInteger(name, format);
      const operand = { format, shape: x.shape, axis };
      if (sizeOf(x.shape) === 0) return { ...operand, tensors: {} };
      if (kernels === undefined) {
        return { ...operand, tensors: compositions.encodeOperand(operations(), x, resolved) };
      }
      const tensors = kernels.encodeOperand(x, resolved);
      for (const part of Object.values(tensors)) track(name, part);
      return { ...operand, tensors };
    },

    decodeOperand(operand) {
      const name = 'decodeOperand';
      checkOperand(name, operand);
      if (sizeOf(operand.shape) === 0) return constant(name, operand.shape, 0, 'f32');
      return kernels === undefined
        ? compositions.decodeOperand(operations(), operand)
        : track(name, kernels.decodeOperand(operand));
    },

    blockMatmul(a, b) {
      const name = 'blockMatmul';
      checkOperand(name, a);
      checkOperand(name, b);
      checkPair(name, a.format, b.format);
      const result = productShape(name, a, b);
      if (size(name, result) === 0 || operandExtent(a).terms === 0) return constant(name, result, 0, 'f32');
      if (kernels === undefined) {
        const ops = operations();
        return ops.scope(() => ops.reshape(compositions.blockMatmul(ops, a, b), result));
      }
      const product = kernels.blockMatmul(a, b);
      if (sameShape(product.shape, result)) return track(name, product);
      const reshaped = backend.reshape(product, result);
      backend.dispose(product);
      return track(name, reshaped);
    },
  };
}

function checkAxis(name: string, x: Tensor, axis: number): void {
  const rank = x.shape.length;
  if (rank >= 2 && axis >= rank - 2) return;
  throw new LmdError('INVALID_ARGUMENT', `${name}: axis ${axis} of a tensor of shape ${formatShape(x.shape)}.`, {
    subject: 'axis',
    value: axis,
    remedy: 'An operand has at least 2 axes, and blocks run along one of the last two.',
  });
}

function checkInteger(name: string, format: BlockFormat): void {
  if (Number.isFinite(largestFactor(format))) return;
  throw new LmdError('UNSUPPORTED', `${name}: format "${format.name}" has no exact products.`, {
    subject: 'format',
    value: format.name,
    remedy: 'Round the operands with fakeQuantize and multiply them with matmul; see hasExactProducts.',
  });
}

function checkPair(name: string, a: BlockFormat, b: BlockFormat): void {
  if (hasExactProducts(a, b)) return;
  throw new LmdError('UNSUPPORTED', `${name}: formats "${a.name}" and "${b.name}" have no exact product.`, {
    subject: 'format',
    value: [a.name, b.name],
    remedy:
      'One block size must divide the other, and the sums of a block must fit into 24 bits; see hasExactProducts.',
  });
}

function productShape(name: string, a: EncodedOperand, b: EncodedOperand): readonly number[] {
  const [left, right] = [operandExtent(a), operandExtent(b)];
  const fail = (problem: string, remedy?: string) =>
    shapeMismatch(
      name,
      `${formatShape(a.shape)} along axis ${a.axis} · ${formatShape(b.shape)} along axis ${b.axis}: ${problem}`,
      [a.shape, b.shape],
      remedy,
    );
  if (left.terms !== right.terms) throw fail(`the inner extents ${left.terms} and ${right.terms} differ.`);
  const [leadA, leadB] = [a.shape.slice(0, -2), b.shape.slice(0, -2)];
  if (leadA.length > 0 && leadB.length > 0 && !sameShape(leadA, leadB)) {
    throw fail('the leading axes differ.', 'Make them equal with broadcastTo, or give the shared operand 2 axes.');
  }
  return [...(leadA.length > 0 ? leadA : leadB), left.rows, right.rows];
}
