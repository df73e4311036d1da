import {
  type BlockFormat,
  type BlockProductKernels,
  type EncodedOperand,
  integerElement,
  operandExtent,
  sizeOf,
  type Tensor,
} from '@lmd/core';
import { planInMemory } from '@lmd/mx-formats';
import { largestFinite, settingsTensor } from './fake-quantize.js';
import { partsOf } from './matmul.js';
import type { MemoryHost } from './memory-host.js';
import { cpuMovements } from './movement.js';
import { randomTensor } from './random.js';
import { dotInSteps } from './threads/platform.js';
import { blockTileRows, ProductVariant } from './wasm/numbers.js';
import { setEntry } from './wasm/table-entries.js';
import { OperandEntry, ProductEntry } from './wasm/tables.js';

/** The bytes that `BlockProductKernels` describes, in tensors of words. */
interface CpuOperand {
  readonly codes: Tensor;
  readonly scales: Tensor;
  /** f32 scalar, where the format has one. */
  readonly tensorScale?: Tensor;
}

/** Integers of 7 bits with a sign become non-negative ones by an offset. */
const largestOffset = 63;
/** About the products of two integers that one thread adds up in a nanosecond. */
const productsPerNanosecond = { bytes: 45, wide: 30 };
/** Nanoseconds an element. */
const encodeCost = 0.6;
const decodeCost = 0.3;
/** As `encodeIntegersOfColumns` of `@lmd/native` counts: columns of a strip; terms that it codes at once. */
const stripColumns = 32;
const codedTerms = 16;
/** Units between which a scale times them is an f32 number. */
const largestShift = 22;

const isWide = ({ element }: BlockFormat): boolean => integerElement(element).largest > 128;
const hasByteScales = ({ scale }: BlockFormat): boolean => scale === 'e8m0';
const padded = (terms: number): number => Math.ceil(terms / 16) * 16;
const partsIn = ({ tensors }: EncodedOperand) => tensors as unknown as CpuOperand;

/** Exact products of block formats. */
export function cpuBlockProducts(host: MemoryHost): BlockProductKernels {
  const { run, address, store } = host;
  const { transpose } = cpuMovements(host);

  /** Runs `body` on `x` as [batch, rows, terms], whichever of its last two axes is contracted. */
  function withTermsLast<Result>(x: Tensor, axis: number, body: (x: Tensor) => Result): Result {
    if (axis === x.shape.length - 1) return body(x);
    const matrices = store.share(x, [sizeOf(x.shape.slice(0, -2)), ...x.shape.slice(-2)]);
    const turned = transpose(matrices, [0, 2, 1]);
    store.free(matrices);
    try {
      return body(turned);
    } finally {
      store.free(turned);
    }
  }

  return {
    encodeOperand(x, options) {
      const { format, axis, key } = options;
      const { batch, rows, terms, blocks } = operandExtent({ format, shape: x.shape, axis });
      const lines = batch * rows;
      const plan = planInMemory(lines * terms, { ...options, shape: [lines, terms], axis: 1 });
      const wide = isWide(format);
      const integers = lines * padded(terms);
      const scales = lines * blocks;
      const parts: CpuOperand = {
        codes: host.allocate([wide ? integers / 2 : integers / 4], 'i32'),
        scales: hasByteScales(format) ? host.allocate([Math.ceil(scales / 4)], 'i32') : host.allocate([scales], 'f32'),
      };
      const words = plan.stochastic ? randomTensor(host, 'randomBits', x.shape, key!) : undefined;
      const largest = plan.needsLargest ? largestFinite(host, x, lines * terms) : 0;
      const settings = settingsTensor(host, plan.settings(largest));
      const task = (source: Tensor, random: Tensor) => ({
        settings: address(settings),
        source: address(source),
        codes: address(parts.codes),
        scales: address(parts.scales),
        words: address(random),
        length: terms,
        blocks,
        wide,
      });
      const encodeRows = (source: Tensor, random: Tensor) =>
        run('encodeIntegersInMemory', { total: lines, cost: encodeCost * terms }, task(source, random));
      if (axis !== x.shape.length - 1 && format.blockSize % codedTerms === 0 && host.has('encodeIntegersOfColumns')) {
        const total = batch * Math.ceil(rows / stripColumns) * blocks;
        const split = { total, cost: (encodeCost * lines * terms) / total };
        run('encodeIntegersOfColumns', split, { ...task(x, words ?? x), columns: rows });
      } else {
        withTermsLast(x, axis, (source) => {
          if (words === undefined) encodeRows(source, source);
          else withTermsLast(words, axis, (random) => encodeRows(source, random));
        });
      }
      const tensorScale = host.floats(settings).at(-1)!;
      store.free(settings);
      if (words !== undefined) store.free(words);
      if (hasByteScales(format)) return { ...parts };
      return { ...parts, tensorScale: host.make([], 'f32', (out) => host.floats(out).fill(tensorScale)) };
    },

    decodeOperand(operand) {
      const { format, shape, axis } = operand;
      const { codes, scales, tensorScale } = partsIn(operand);
      const { batch, rows, terms } = operandExtent(operand);
      const values = host.make(axis === shape.length - 1 ? shape : [batch, rows, terms], 'f32', (out) =>
        run(
          'decodeOperand',
          { total: batch * rows, cost: decodeCost * terms },
          {
            codes: address(codes),
            scales: address(scales),
            out: address(out),
            terms,
            blockSize: format.blockSize,
            wide: isWide(format),
            floatScales: !hasByteScales(format),
            unit: 2 ** integerElement(format.element).unitExponent,
            tensorScale: tensorScale === undefined ? 1 : host.floats(tensorScale)[0]!,
          },
        ),
      );
      if (axis === shape.length - 1) return values;
      const turned = transpose(values, [0, 2, 1]);
      const result = store.share(turned, shape);
      store.free(values);
      store.free(turned);
      return result;
    },

    blockMatmul(a, b) {
      const [left, right] = [operandExtent(a), operandExtent(b)];
      const batch = Math.max(left.batch, right.batch);
      const out = host.allocate([batch, left.rows, right.rows], 'f32');
      const settings = host.allocate([ProductEntry.words + 2 * OperandEntry.words], 'i32');
      const { wide } = writeSettings(host.integers(settings), a, b);
      // A right operand that all share makes the batch more rows of one product.
      const merged = right.batch === 1;
      const [matrices, m, n] = [merged ? 1 : batch, merged ? batch * left.rows : left.rows, right.rows];
      const time = (batch * left.rows * n * left.terms) / productsPerNanosecond[wide ? 'wide' : 'bytes'];
      const parts = partsOf(matrices, m, n, host.worthwhile(time) ? host.threads : 1, blockTileRows);
      const total = matrices * Math.ceil(m / parts.rows) * Math.ceil(n / parts.columns);
      run(
        'blockMatmul',
        { total, cost: time / total },
        {
          settings: address(settings),
          out: address(out),
          m,
          terms: left.terms,
          n,
          partRows: parts.rows,
          partColumns: parts.columns,
        },
      );
      store.free(settings);
      scaleByTensors(out, a, b);
      return out;
    },
  };

  /** The settings of a product; whether its integers take 2 bytes. */
  function writeSettings(words: Int32Array, a: EncodedOperand, b: EncodedOperand): { readonly wide: boolean } {
    const [left, right] = [integerElement(a.format.element), integerElement(b.format.element)];
    const fits = (largest: number) => host.bytesMultiply && largest <= largestOffset;
    const narrow = !isWide(a.format) && !isWide(b.format);
    const side = narrow && fits(left.largest) ? 'offsetA' : narrow && fits(right.largest) ? 'offsetB' : undefined;
    const variant = side === undefined ? 'wide' : dotInSteps() ? (`${side}InSteps` as const) : side;
    const unit = left.unitExponent + right.unitExponent;
    const shift = Math.abs(unit) <= largestShift ? unit : 0;
    const merged = operandExtent(b).batch === 1;
    const blockSize = Math.min(a.format.blockSize, b.format.blockSize);
    const offsets = [side === 'offsetA' ? left.largest : 0, side === 'offsetB' ? right.largest : 0] as const;
    setEntry(words, ProductEntry, 0, {
      variant: ProductVariant[variant],
      blockSize,
      careful: Number(shift !== unit),
      unitExponent: unit - shift,
    });
    const [first, second] = [ProductEntry.words, ProductEntry.words + OperandEntry.words];
    writeOperand(words, first, a, { merged, shift, offset: offsets[0], opposite: offsets[1] });
    writeOperand(words, second, b, { merged: false, shift: 0, offset: offsets[1], opposite: offsets[0] });
    return { wide: variant === 'wide' };
  }

  interface Role {
    readonly merged: boolean;
    readonly shift: number;
    /** Offsets added to the integers of this operand and of the other. */
    readonly offset: number;
    readonly opposite: number;
  }

  function writeOperand(settings: Int32Array, start: number, operand: EncodedOperand, role: Role): void {
    const { merged, shift, offset, opposite } = role;
    const { format } = operand;
    const { codes, scales } = partsIn(operand);
    const { batch, rows, terms } = operandExtent(operand);
    setEntry(settings, OperandEntry, start, {
      codes: address(codes),
      scales: address(scales),
      rows: merged ? batch * rows : rows,
      terms,
      blockSize: format.blockSize,
      wide: Number(isWide(format)),
      floatScales: Number(!hasByteScales(format)),
      shared: Number(batch === 1),
      shift,
      offset,
      sumFactor: -opposite,
    });
  }

  /** The last step of the definition, where a format has a scale for the whole tensor. */
  function scaleByTensors(out: Tensor, ...operands: readonly EncodedOperand[]): void {
    if (operands.every((operand) => partsIn(operand).tensorScale === undefined)) return;
    const scales = operands.map((operand) => {
      const { tensorScale } = partsIn(operand);
      return significandOf(tensorScale === undefined ? 1 : host.floats(tensorScale)[0]!);
    });
    const factor = scales.reduce((product, { significand }) => Math.fround(product * significand), 1);
    const exponent = scales.reduce((sum, scale) => sum + scale.exponent, 0);
    run('scaleProduct', { total: sizeOf(out.shape), unit: 16, cost: 1 }, { out: address(out), factor, exponent });
  }
}

/** A positive f32 number as m·2^exponent, m in [1, 2). */
function significandOf(x: number): { readonly significand: number; readonly exponent: number } {
  const [bits] = new Int32Array(Float32Array.of(x).buffer) as unknown as [number];
  // The scales of tensors are normal numbers.
  const exponent = (bits >>> 23) - 127;
  return { significand: x * 2 ** -exponent, exponent };
}
