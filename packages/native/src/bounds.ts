import { Check } from './check.js';
import { elementBounds } from './element-bounds.js';
import type { AllKernels, Bounds } from './kernels.js';
import { sizes } from './sizes.js';

const { SETTINGS: firstOperand, OPERAND_WORDS: operandWords, MOST_BLOCK: mostBlock } = sizes;

/** Rejects arguments outside the memory, with detailed errors. The add-on checks the same. */
export const bounds: Bounds<keyof AllKernels> = {
  ...elementBounds,

  matmul({ length }, from, to, a, b, out, m, k, n, _transposeA, _transposeB, strideA, strideB, partRows, partColumns) {
    const check = new Check('matmul', length);
    check.sizes({ from, to, strideA, strideB }, 0);
    check.sizes({ m, k, n, partRows, partColumns }, 1);
    if (from >= to) return;
    const matrices = matricesOf(to, m, n, partRows, partColumns);
    check.operand('a', a, (matrices - 1) * strideA + m * k, 4);
    check.operand('b', b, (matrices - 1) * strideB + k * n, 4);
    check.operand('out', out, matrices * m * n, 4);
  },

  blockMatmul(memory, from, to, settings, out, m, terms, n, partRows, partColumns) {
    const check = new Check('blockMatmul', memory.length);
    check.sizes({ from, to }, 0);
    check.sizes({ m, terms, n, partRows, partColumns }, 1);
    if (from >= to) return;
    const matrices = matricesOf(to, m, n, partRows, partColumns);
    check.operand('settings', settings, firstOperand + 2 * operandWords, 4);
    check.operand('out', out, matrices * m * n, 4);
    const words = new Int32Array(memory.buffer, memory.byteOffset + settings, firstOperand + 2 * operandWords);
    const block = words[1]!;
    check.equal('block size', block, Math.min(Math.max(block, 1), mostBlock));
    for (const [name, rows, first] of [
      ['a', m, firstOperand],
      ['b', n, firstOperand + operandWords],
    ] as const) {
      const [codes, scales, ownRows, ownTerms, size, wide, floatScales, shared] = words.subarray(
        first,
      ) as unknown as number[];
      check.equal(`rows of ${name}`, ownRows!, rows);
      check.equal(`terms of ${name}`, ownTerms!, terms);
      check.sizes({ [`elements of ${name} that share a scale`]: size! }, 1);
      check.equal(`elements of ${name} that share a scale, modulo the block size,`, size! % block, 0);
      const lines = rows * (shared === 0 ? matrices : 1);
      check.operand(`codes of ${name}`, codes! >>> 0, lines * Math.ceil(terms / 16) * 16, wide === 0 ? 1 : 2);
      check.operand(`scales of ${name}`, scales! >>> 0, lines * Math.ceil(terms / size!), floatScales === 0 ? 1 : 4);
    }
  },
};

function matricesOf(to: number, m: number, n: number, partRows: number, partColumns: number): number {
  return Math.floor((to - 1) / Math.ceil(m / partRows) / Math.ceil(n / partColumns)) + 1;
}
