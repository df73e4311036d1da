import { blockBounds } from './block-bounds.js';
import { Check } from './check.js';
import type { Bounds, ElementKernels } from './kernels.js';
import { sizes } from './sizes.js';

const { SAMPLE_WORDS: sampleWords, NORM_PART_ROWS: partRows, TURNED_ROWS: turnedRows } = sizes;

/** Elements of operands that are as long as the range. */
function flat(
  kernel: string,
  bytes: number,
  from: number,
  to: number,
  operands: Readonly<Record<string, number>>,
): Check {
  const check = new Check(kernel, bytes);
  check.sizes({ from, to }, 0);
  check.floats(operands, to);
  return check;
}

/** Drawn elements begin where a block of four random words does. */
function drawn(
  kernel: string,
  bytes: number,
  from: number,
  to: number,
  operands: Readonly<Record<string, number>>,
): Check {
  const check = flat(kernel, bytes, from, to, operands);
  check.equal('from modulo 4', from % 4, 0);
  return check;
}

/** Rows of `width`. */
function rows(
  kernel: string,
  bytes: number,
  from: number,
  to: number,
  width: number,
  operands: Readonly<Record<string, number>>,
): Check {
  const check = new Check(kernel, bytes);
  check.sizes({ from, to }, 0);
  check.sizes({ width }, 1);
  check.floats(operands, to * width);
  return check;
}

export const elementBounds: Bounds<keyof ElementKernels> = {
  ...blockBounds,

  codedAttention({ length }, from, to, query, codes, out, heads, keys, width, size, kind, mantissaBits, emin) {
    const check = new Check('codedAttention', length);
    check.sizes({ from, to }, 0);
    check.sizes({ heads, keys, width, size }, 1);
    check.equal('keys', keys, Math.min(keys, sizes.MOST_CODED_KEYS));
    check.equal('width', width, Math.min(width, sizes.WIDEST_CODED_ROW));
    check.equal('size', size, Math.min(size, width));
    check.choice('kind', kind, sizes.CODED_KIND_COUNT);
    check.choice('mantissaBits', mantissaBits, 8);
    check.choice('emin + 64', emin + 64, 129);
    if (from >= to) return;
    const blockBytes = 16 * Math.ceil(size / (kind === 0 ? 32 : 16));
    const rowBytes = 4 * Math.ceil((Math.ceil(width / size) * (blockBytes + 1)) / 4);
    check.floats({ query, out }, to * width);
    check.operand('codes', codes, (Math.floor((to - 1) / heads) + 1) * 2 * heads * keys * rowBytes, 1);
  },

  packedRowProducts({ length }, from, to, kind, codes, scales, tables, shift, chunks, x, out, m, n) {
    const check = new Check('packedRowProducts', length);
    check.sizes({ from, to }, 0);
    check.sizes({ chunks, m, n }, 1);
    check.choice('kind', kind, sizes.PACKED_COUNT);
    check.choice('shift', shift, 16);
    check.equal('the last column', Math.min(to, n), to);
    check.operand('codes', codes, to * chunks * (kind === 0 ? 32 : kind <= 2 ? 48 : 64), 1);
    check.operand('scales', scales, to * Math.ceil((4 * chunks) / 2 ** shift), 1);
    check.operand('tables', tables, sizes.TABLE_WORDS, 4);
    check.operand('x', x, m * chunks * sizes.CHUNK_CODES, 4);
    check.operand('out', out, (m - 1) * n + to, 4);
  },

  turnMatrices({ length }, from, to, source, target, rows, columns, sourceStride, targetStride, e1, s0, s1, t0, t1) {
    const check = new Check('turnMatrices', length);
    check.sizes({ from, to, sourceStride, targetStride, s0, s1, t0, t1 }, 0);
    check.sizes({ rows, columns, e1 }, 1);
    if (from >= to) return;
    const last = Math.floor((to - 1) / Math.ceil(rows / turnedRows));
    const [i, j] = [Math.floor(last / e1), Math.min(last, e1 - 1)];
    check.operand('source', source, i * s0 + j * s1 + (rows - 1) * sourceStride + columns, 4);
    check.operand('target', target, i * t0 + j * t1 + (columns - 1) * targetStride + rows, 4);
  },

  unary({ length }, from, to, operation, x, out) {
    flat('unary', length, from, to, { x, out }).choice('operation', operation, sizes.UNARY_COUNT);
  },

  geluExact: ({ length }, from, to, x, out) => void flat('geluExact', length, from, to, { x, out }),
  geluExactGradient: ({ length }, from, to, x, dy, out) =>
    void flat('geluExactGradient', length, from, to, { x, dy, out }),
  geluTanh: ({ length }, from, to, x, out) => void flat('geluTanh', length, from, to, { x, out }),
  geluTanhGradient: ({ length }, from, to, x, dy, out) =>
    void flat('geluTanhGradient', length, from, to, { x, dy, out }),

  random({ length }, from, to, kind, target, stream, step, sample, seedLow, seedHigh) {
    const check = drawn('random', length, from, to, { target });
    check.choice('kind', kind, sizes.RANDOM_COUNT);
    check.words({ stream, step, sample, seedLow, seedHigh });
  },

  lmdDraw({ length }, from, to, logPlus, logMinus, out, _noise, stream, step, sample, seedLow, seedHigh) {
    const check = drawn('lmdDraw', length, from, to, { logPlus, logMinus, out });
    check.words({ stream, step, sample, seedLow, seedHigh });
  },

  lmdUpdate(
    memory,
    from,
    to,
    logPlus,
    logMinus,
    momentumPlus,
    momentumMinus,
    outLogPlus,
    outLogMinus,
    outMomentumPlus,
    outMomentumMinus,
    table,
    samples,
    ...rest
  ) {
    const always = { logPlus, logMinus, momentumPlus, outLogPlus, outLogMinus, outMomentumPlus };
    const scaled = momentumMinus !== 0;
    const operands = scaled ? { ...always, momentumMinus, outMomentumMinus } : always;
    const check = drawn('lmdUpdate', memory.length, from, to, operands);
    check.sizes({ samples }, 0);
    check.choice('regularizer', rest[8], sizes.REGULARIZER_COUNT);
    if (!scaled) check.equal('outMomentumMinus', outMomentumMinus, 0);
    check.operand('table', table, sampleWords * samples, 4);
    const words = new Uint32Array(memory.buffer, memory.byteOffset + table, sampleWords * samples);
    for (let i = 0; i < samples; i++) check.operand(`gradient ${i}`, words[sampleWords * i]!, to, 4);
  },

  adamwUpdate({ length }, from, to, weights, first, second, gradient, outWeights, outFirst, outSecond) {
    flat('adamwUpdate', length, from, to, { weights, first, second, gradient, outWeights, outFirst, outSecond });
  },

  softmax({ length }, from, to, x, out, width, height) {
    rows('softmax', length, from, to, width, { x, out }).sizes({ height }, 1);
  },
  softmaxGradient: ({ length }, from, to, y, dy, out, width) =>
    void rows('softmaxGradient', length, from, to, width, { y, dy, out }),

  crossEntropy({ length }, from, to, logits, labels, out, classes) {
    rows('crossEntropy', length, from, to, classes, { logits }).floats({ labels, out }, to);
  },
  crossEntropyGradient({ length }, from, to, logits, labels, dy, out, classes) {
    rows('crossEntropyGradient', length, from, to, classes, { logits, out }).floats({ labels, dy }, to);
  },

  layerNorm({ length }, from, to, x, gain, bias, out, width) {
    rows('layerNorm', length, from, to, width, { x, out }).floats({ gain, bias }, width);
  },
  layerNormGradient({ length }, from, to, x, gain, dy, out, totals, scratch, count, width) {
    const check = rows('layerNormGradient', length, 0, count, width, { x, dy, out });
    check.sizes({ from, to }, 0);
    check.operand('gain', gain, width, 4);
    const columns = Math.ceil(width / 4) * 4;
    check.operand('totals', totals, 2 * columns * to, 8);
    check.operand('scratch', scratch, 2 * columns * to, 4);
    // Of no rows, there is still one part.
    check.sizes(
      { [`parts of ${partRows} rows less those before the last`]: Math.max(1, Math.ceil(count / partRows)) - to },
      0,
    );
  },
};
