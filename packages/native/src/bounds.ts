import { NativeError } from './errors.js';
import type { NativeKernels } from './kernels.js';

/** Sizes and strides stay below it, so that products of two are exact. */
const mostElements = 2 ** 31;

function checkSize(subject: string, value: number, least: number): void {
  if (Number.isInteger(value) && value >= least && value <= mostElements) return;
  throw new NativeError('INVALID_ARGUMENT', `matmul: ${subject} is ${value}.`, {
    subject,
    value,
    remedy: `Use a whole number from ${least} to ${mostElements}.`,
  });
}

function checkOperand(subject: string, address: number, elements: number, bytes: number): void {
  if (Number.isInteger(address) && address >= 0 && address % 4 === 0 && address + 4 * elements <= bytes) return;
  throw new NativeError(
    'INVALID_ARGUMENT',
    `matmul: ${subject} has ${elements} elements at byte ${address} of a memory of ${bytes} bytes.`,
    { subject, value: address, remedy: 'Use a multiple of 4, so that the operand ends within the memory.' },
  );
}

/**
 * Refuses a product whose operands do not lie within the memory.
 *
 * @throws NativeError `INVALID_ARGUMENT`
 */
export function checkMatmul(bytes: number, ...task: Parameters<NativeKernels['matmul']>): void {
  const [from, to, a, b, out, m, k, n, , , strideA, strideB, partRows, partColumns] = task;
  checkSize('from', from, 0);
  checkSize('to', to, 0);
  checkSize('m', m, 1);
  checkSize('k', k, 1);
  checkSize('n', n, 1);
  checkSize('strideA', strideA, 0);
  checkSize('strideB', strideB, 0);
  checkSize('partRows', partRows, 1);
  checkSize('partColumns', partColumns, 1);
  if (from >= to) return;
  const last = Math.floor((to - 1) / Math.ceil(m / partRows) / Math.ceil(n / partColumns));
  checkOperand('a', a, last * strideA + m * k, bytes);
  checkOperand('b', b, last * strideB + k * n, bytes);
  checkOperand('out', out, (last + 1) * m * n, bytes);
}
