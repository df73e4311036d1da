import { type BlockFormat, type PackedCodes, type PackedMatrix, sizeOf } from '@lmd/core';
import { dequantize, formats, type MxTensor, quantize } from '@lmd/mx-formats';
import type { Case, CaseGroup, Context } from '../case.js';
import { matmul } from '../oracle/matmul.js';
import { floats, integers, normals, type Values } from '../values.js';

interface Extents {
  /** Leading axes of x. */
  readonly lead: readonly number[];
  readonly terms: number;
  readonly rows: number;
}

/** About the chunks of kernels, of one row and of more than they take at once. */
const extentsToTry: readonly Extents[] = [
  { lead: [1], terms: 64, rows: 5 },
  { lead: [], terms: 160, rows: 33 },
  { lead: [2, 2], terms: 75, rows: 7 },
  { lead: [9], terms: 31, rows: 12 },
  { lead: [3], terms: 1, rows: 2 },
  { lead: [1], terms: 2112, rows: 9 },
  { lead: [0], terms: 32, rows: 4 },
  { lead: [2], terms: 0, rows: 3 },
];

interface Weights {
  readonly source: PackedCodes;
  /** [rows, terms]. */
  readonly values: Values;
}

/** Random weights, their codes, and what those stand for. */
function weightsOf({ random }: Context, format: BlockFormat, { terms, rows }: Extents): Weights {
  const axis = random.pick([0, 1]);
  const shape = axis === 1 ? [rows, terms] : [terms, rows];
  if (sizeOf(shape) === 0) {
    const none = new Uint8Array(0);
    return { source: { format, shape, axis, codes: none, scales: none }, values: floats([rows, terms], () => 0) };
  }
  // A few binades, so that blocks differ and codes below the normal numbers are among them.
  const factors = floats(shape, () => random.normal() * 2 ** random.integer(-6, 3));
  const packed: MxTensor = quantize(Float32Array.from(factors.data), { format, shape, axis });
  return { source: packed, values: valuesOf(packed) };
}

function valuesOf(packed: MxTensor): Values {
  const { shape, axis } = packed;
  const [terms, rows] = [shape[axis]!, shape[1 - axis]!];
  const decoded = dequantize(packed);
  return floats([rows, terms], (i) => {
    const [row, term] = [Math.floor(i / terms), i % terms];
    return decoded[axis === 1 ? i : term * rows + row]!;
  });
}

/** Where a scale is a power of two, a value has one right answer. */
const decoding = ({ scale }: BlockFormat) => (scale === 'e8m0' ? ('copy' as const) : ('decodedCode' as const));

async function check(context: Context, x: Values, { source, values }: Weights): Promise<void> {
  const [rows] = values.shape as [number, number];
  const lead = x.shape.slice(0, -1);
  const indices = integers([2, 3], () => context.random.integer(0, rows - 1));
  const width = values.shape[1]!;
  const gathered = floats(
    [2, 3, width],
    (i) => values.data[indices.data[Math.floor(i / width)]! * width + (i % width)]!,
  );
  const flat = { ...x, shape: [sizeOf(lead), width] };
  const product = matmul(flat, values, false, true);
  const { format } = source;
  await context.check({
    label: `packedMatmul of ${format.name} ${JSON.stringify({ shape: source.shape, axis: source.axis })}`,
    bound: ['packedMatmul', decoding(format), decoding(format)],
    kernel: 'packedMatmul',
    inputs: [x, indices],
    run: (ops, [input, indices]) =>
      ops.scope(() => {
        const matrix: PackedMatrix = ops.packMatrix(source);
        return [ops.packedMatmul(input!, matrix), ops.packedRows(matrix, indices!), ops.decodeMatrix(matrix)];
      }),
    want: [{ ...product, shape: [...lead, rows] }, gathered, values],
  });
}

function productCase(format: BlockFormat): Case {
  return {
    name: `${format.name}: products, rows and all values`,
    async run(context) {
      for (const extents of extentsToTry) {
        const x = normals(context.random, [...extents.lead, extents.terms]);
        await check(context, x, weightsOf(context, format, extents));
      }
    },
  };
}

/** Every code of a format, one a term and block by block, against the identity. */
function everyCodeCase(format: BlockFormat): Case {
  return {
    name: `${format.name}: every code`,
    async run(context) {
      const { bits } = format.element;
      const { kind } = format.element;
      const finite = Array.from({ length: 2 ** bits }, (_, code) => code).filter(
        (code) =>
          Number.isFinite(dequantize(oneRow(format, Uint8Array.of(code)))[0]) &&
          // The least integer, which has no positive counterpart, is refused.
          !(kind === 'int' && code === 2 ** (bits - 1)),
      );
      const row = oneRow(
        format,
        Uint8Array.from({ length: 256 }, (_, i) => finite[i % finite.length]!),
      );
      const values = valuesOf(row);
      const identity = floats([256, 256], (i) => (Math.floor(i / 256) === i % 256 ? 1 : 0));
      await check(context, identity, { source: row, values });
      // One row at a time as well, as in generating text.
      for (const at of [0, 17, 255])
        await check(
          context,
          floats([1, 256], (i) => (i === at ? 1 : 0)),
          { source: row, values },
        );
    },
  };
}

/** A row of codes, given one a byte, with scales of many sizes. */
function oneRow(format: BlockFormat, codes: Uint8Array): MxTensor {
  const { bits } = format.element;
  const packed = new Uint8Array(Math.ceil((codes.length * bits) / 8));
  for (const [i, code] of codes.entries()) {
    for (let bit = 0; bit < bits; bit++) {
      const at = i * bits + bit;
      packed[at >> 3]! |= ((code >> bit) & 1) << (at & 7);
    }
  }
  const blocks = Math.ceil(codes.length / format.blockSize);
  return {
    format,
    shape: [1, codes.length],
    axis: 1,
    blockSize: format.blockSize,
    codes: packed,
    scales: Uint8Array.from({ length: blocks }, (_, i) => (format.scale === 'e8m0' ? 120 + 2 * i : 40 + 3 * i)),
    tensorScale: format.scale === 'e8m0' ? 1 : Math.fround(0.37),
  };
}

function nanCase(format: BlockFormat): Case {
  return {
    name: `${format.name}: a block of NaN makes its row's products NaN, and no others`,
    async run(context) {
      const { random } = context;
      const weights = weightsOf(context, format, { lead: [1], terms: 96, rows: 6 });
      const { rows, blocks } = { rows: 6, blocks: Math.ceil(96 / format.blockSize) };
      const scales = weights.source.scales.slice();
      // Row 2, block 1, whichever way the matrix is stored.
      scales[weights.source.axis === 1 ? 2 * blocks + 1 : rows + 2] = format.scale === 'e8m0' ? 0xff : 0x7f;
      const source = { ...weights.source, scales };
      const values = valuesOf({ blockSize: format.blockSize, tensorScale: 1, ...source } as MxTensor);
      for (const m of [1, 6]) await check(context, normals(random, [m, 96]), { source, values });
    },
  };
}

/** Products with weights that are kept as codes. */
export const packedMatrices: CaseGroup = {
  name: 'packed matrices',
  cases: Object.values(formats).flatMap((format) => [productCase(format), everyCodeCase(format), nanCase(format)]),
};
