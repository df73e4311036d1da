import {
  type BlockFormat,
  type BlockProductKernels,
  type EncodedOperand,
  type FloatTensor,
  integerElement,
  operandExtent,
  sizeOf,
  type Tensor,
} from '@lmd/core';
import { blockMatmulKernel, tileSide } from './block-matmul-kernel.js';
import { checkFormat, type ScaleKind, scaleWord, tensorScaleOf } from './block-scales.js';
import type { Context } from './context.js';
import { floatBitsLibrary, floatPartsLibrary } from './float-bits.js';
import type { Kernel } from './kernel.js';
import { blockKernel, runBlocks } from './quantization.js';
import { perElement, philoxLibrary } from './wgsl.js';

/**
 * An operand on the device. An integer q is one byte, or where it needs two, q = 256·high + low with bytes high and low
 * in two planes: both are operands of products of bytes. Each block begins at a word, four bytes a word.
 */
interface DeviceOperand {
  /** i32 [planes, batch, rows, blocks, words of a block], zeros after the last element of a block. */
  readonly codes: Tensor;
  /** Scales as words (`scaleWord`), i32 [batch, rows, blocks]; that of an all-zero block is 1. */
  readonly scales: Tensor;
  /** f32 scalar, where the format has one. */
  readonly tensorScale?: Tensor;
}

const partsOf = ({ tensors }: EncodedOperand) => tensors as unknown as DeviceOperand;

const planesOf = ({ element }: BlockFormat): 1 | 2 => (integerElement(element).largest > 128 ? 2 : 1);
const blockWords = ({ blockSize }: BlockFormat): number => Math.ceil(blockSize / 4);

const encodeKernel = (scale: ScaleKind, planes: 1 | 2): Kernel => {
  const twice = (text: string) => (planes === 2 ? text : '');
  return blockKernel(
    scale,
    {
      name: `encodeOperand-${planes}`,
      outputs: { codes: 'u32', scales: 'u32' },
      parameters: { block_words: 'u32', plane_words: 'u32' },
    },
    {
      begin: `
  let line = (outer * params.inner + column) * params.blocks + block;
  var at = line * params.block_words;
  var low = 0u;
  ${twice('var high = 0u;')}`,
      element: `
    let units = units_of(code);
    let magnitude = i32(units.whole << units.shift);
    let q = select(magnitude, -magnitude, (x & 0x80000000u) != 0u);
    let shift = ((j - first) & 3u) * 8u;
    low |= (u32(q) & 0xffu) << shift;
    ${twice('high |= (u32((q - extractBits(q, 0u, 8u)) >> 8u) & 0xffu) << shift;')}
    if (shift == 24u || j + 1u == last) {
      codes_set(at, low);
      low = 0u;
      ${twice('codes_set(params.plane_words + at, high); high = 0u;')}
      at++;
    }`,
      end: `
  for (; at < (line + 1u) * params.block_words; at++) {
    codes_set(at, 0u);
    ${twice('codes_set(params.plane_words + at, 0u);')}
  }
  var word = word_of(1u, 0);
  if (scale.is_nan) { word = NAN_WORD; } else if (largest > 0u) { word = block_word(scale); }
  scales_set(line, word);`,
    },
  );
};

/** A thread an element. */
const decodeKernel = (scale: ScaleKind, planes: 1 | 2): Kernel => ({
  name: `decodeOperand-${planes}-${scale}`,
  inputs: { codes: 'u32', scales: 'u32', ...(scale === 'e4m3' ? { tensor_scale: 'u32' } : {}) },
  outputs: { out: 'u32' },
  parameters: {
    count: 'u32',
    length: 'u32',
    inner: 'u32',
    blocks: 'u32',
    block_size: 'u32',
    block_words: 'u32',
    plane_words: 'u32',
    unit: 'i32',
  },
  code: `${philoxLibrary}${floatPartsLibrary}${floatBitsLibrary}${perElement(`
  let j = i / params.inner % params.length;
  let row = i / params.inner / params.length * params.inner + i % params.inner;
  let line = row * params.blocks + j / params.block_size;
  let within = j % params.block_size;
  let at = line * params.block_words + within / 4u;
  let shift = (within & 3u) * 8u;
  var q = extractBits(bitcast<i32>(codes_at(at)), shift, 8u);
  ${planes === 2 ? 'q += 256 * extractBits(bitcast<i32>(codes_at(params.plane_words + at)), shift, 8u);' : ''}
  let word = scales_at(line);
  if (word == ${scaleWord.nan}u) { out_set(i, 0x7fc00000u); return; }
  let exponent = i32(word & 0xffffu) - ${scaleWord.exponentBias};
  ${
    scale === 'e8m0'
      ? 'let magnitude = scaled(u32(abs(q)), exponent + params.unit);'
      : `let factor = product_bits(tensor_scale_at(0u), scaled(word >> 16u, exponent));
  let magnitude = product_bits(scaled(u32(abs(q)), params.unit), factor);`
  }
  out_set(i, magnitude | select(0u, 0x80000000u, q < 0));`)}`,
});

/**
 * The last step of a product of operands of which one or both have a scale for the whole tensor, 1 where it has none.
 */
const tensorScaleKernel: Kernel = {
  name: 'blockMatmul-tensorScales',
  inputs: { y: 'u32', a: 'u32', b: 'u32' },
  outputs: { out: 'u32' },
  parameters: { count: 'u32', base: 'u32', elements: 'u32', use_a: 'u32', use_b: 'u32' },
  code: `${philoxLibrary}${floatPartsLibrary}${floatBitsLibrary}${perElement(`
  let y = y_at(i);
  let magnitude = y & 0x7fffffffu;
  if (magnitude == 0u || magnitude >= 0x7f800000u) { out_set(i, y); return; }
  let a = select(0x3f800000u, a_at(0u), params.use_a == 1u);
  let b = select(0x3f800000u, b_at(0u), params.use_b == 1u);
  let significand = product_bits((a & 0x7fffffu) | 0x3f800000u, (b & 0x7fffffu) | 0x3f800000u);
  let product = product_bits(magnitude, significand);
  // The scales of tensors are normal numbers.
  let field = i32(product >> 23u) + i32(a >> 23u) + i32(b >> 23u) - 254;
  var result = (product & 0x7fffffu) | (u32(field) << 23u);
  if (product >= 0x7f800000u || field >= 255) { result = 0x7f800000u; }
  else if (field <= 0) { out_set(i, 0u); return; }
  out_set(i, result | (y & 0x80000000u));`)}`,
};

const each = <Value>(make: (scale: ScaleKind, planes: 1 | 2) => Value) => {
  const both = (scale: ScaleKind) => ({ 1: make(scale, 1), 2: make(scale, 2) });
  return { e8m0: both('e8m0'), e4m3: both('e4m3') };
};
const encodeKernels = each(encodeKernel);
const decodeKernels = each(decodeKernel);

/**
 * Exact products of block formats.
 *
 * @param packedDot WGSL here has `dot4I8Packed`
 */
export function blockProducts(context: Context, packedDot: boolean): BlockProductKernels {
  const { allocate, make, run, runElements, runPages, store } = context;
  const kernelFor = <Value>(kernels: ReturnType<typeof each<Value>>, { format }: Pick<EncodedOperand, 'format'>) =>
    kernels[format.scale as ScaleKind][planesOf(format)];

  function layoutOf(operand: Pick<EncodedOperand, 'format' | 'shape' | 'axis'>) {
    const { batch, rows, blocks } = operandExtent(operand);
    const words = blockWords(operand.format);
    return { blocks, block_words: words, plane_words: batch * rows * blocks * words };
  }

  /** Parameters of an operand. */
  function sideOf(name: 'a' | 'b', operand: EncodedOperand) {
    const { format } = operand;
    const { blocks, block_words, plane_words } = layoutOf(operand);
    const { rows, batch } = operandExtent(operand);
    return {
      [`${name}_block_size`]: format.blockSize,
      [`${name}_block_words`]: block_words,
      [`${name}_blocks`]: blocks,
      [`${name}_plane_words`]: plane_words,
      [`${name}_unit`]: integerElement(format.element).unitExponent,
      [`${name}_batch_rows`]: batch === 1 ? 0 : rows,
    };
  }

  return {
    encodeOperand(x, options) {
      const { format, axis } = options;
      checkFormat('encodeOperand', format);
      const operand = { format, shape: x.shape, axis };
      const { batch, rows } = operandExtent(operand);
      const { blocks, block_words, plane_words } = layoutOf(operand);
      const made: Tensor[] = [];
      const keep = (tensor: Tensor): Tensor => {
        made.push(tensor);
        return tensor;
      };
      try {
        const codes = keep(allocate([planesOf(format), batch, rows, blocks, block_words], 'i32'));
        const scales = keep(allocate([batch, rows, blocks], 'i32'));
        const parts = format.scale === 'e8m0' ? {} : { tensorScale: keep(tensorScaleOf(context, x, format.element)) };
        const inputs = [x, ...Object.values(parts)];
        const kernel = kernelFor(encodeKernels, operand);
        runBlocks(context, kernel, inputs, [codes, scales], options, { block_words, plane_words });
        return { codes, scales, ...parts };
      } catch (error) {
        for (const tensor of made) store.free(tensor);
        throw error;
      }
    },

    decodeOperand(operand) {
      const { format, shape, axis } = operand;
      const { codes, scales, tensorScale } = partsOf(operand);
      return make(shape, 'f32', (out) => {
        const inputs = [codes, scales, ...(tensorScale === undefined ? [] : [tensorScale])];
        const values = {
          ...layoutOf(operand),
          length: shape[axis]!,
          inner: sizeOf(shape.slice(axis + 1)),
          block_size: format.blockSize,
          unit: integerElement(format.element).unitExponent,
        };
        runElements(kernelFor(decodeKernels, operand), inputs, [out], values, sizeOf(shape));
      });
    },

    blockMatmul(a, b) {
      const [left, right] = [operandExtent(a), operandExtent(b)];
      const [first, second] = [partsOf(a), partsOf(b)];
      const batch = Math.max(left.batch, right.batch);
      const product = make([batch, left.rows, right.rows], 'f32', (out) => {
        // A right operand that all share makes the batch more rows of one product.
        const merged = right.batch === 1;
        const [matrices, m, n] = [merged ? 1 : batch, merged ? batch * left.rows : left.rows, right.rows];
        const side = m > 32 && n > 32 ? 16 : 8;
        const kernel = blockMatmulKernel(side, planesOf(a.format), planesOf(b.format), packedDot);
        const values = {
          rows: m,
          columns: n,
          terms: left.terms,
          batch: matrices,
          size: Math.min(a.format.blockSize, b.format.blockSize),
          ...sideOf('a', a),
          ...sideOf('b', b),
        };
        const tile = tileSide(side);
        const groups = matrices * Math.ceil(m / tile) * Math.ceil(n / tile);
        run(kernel, [first.codes, first.scales, second.codes, second.scales], [out], values, groups);
      });
      return scaleByTensors(product, first.tensorScale, second.tensorScale);
    },
  };

  function scaleByTensors(y: FloatTensor, a: Tensor | undefined, b: Tensor | undefined): FloatTensor {
    const any = a ?? b;
    if (any === undefined) return y;
    try {
      return make(y.shape, 'f32', (out) => {
        const used = { use_a: Number(a !== undefined), use_b: Number(b !== undefined) };
        runPages(tensorScaleKernel, [y, a ?? any, b ?? any], [out], used);
      });
    } finally {
      store.free(y);
    }
  }
}
