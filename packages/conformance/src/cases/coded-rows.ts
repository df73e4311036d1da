import { type BlockFormat, type CodedRows, canCodeRows, type Operations, type Tensor } from '@lmd/core';
import { formats } from '@lmd/mx-formats';
import type { Case, CaseGroup, Context } from '../case.js';
import { attention } from '../oracle/attention.js';
import { fakeQuantize } from '../oracle/quantization.js';
import { slice } from '../oracle/shapes.js';
import { floats, mapped, normals, type Values } from '../values.js';

/** A custom format that is not an OCP format. */
const int4: BlockFormat = {
  name: 'int4_20',
  element: {
    ...{ name: 'int4', kind: 'int', bits: 4, exponentBits: 0, mantissaBits: 2, bias: 0, emax: 0, emin: 0 },
    ...{ largest: 7 / 4, hasInfinity: false, hasNaN: false },
  },
  blockSize: 20,
  scale: 'e8m0',
};
const codedFormats: readonly BlockFormat[] = [...Object.values(formats).filter(canCodeRows), int4];

interface Extents {
  readonly batch: number;
  readonly heads: number;
  readonly queries: number;
  readonly keys: number;
  readonly width: number;
}

/** Around the blocks, vectors and tiles of kernels, of one query and of several. */
const extentsToTry: readonly Extents[] = [
  { batch: 1, heads: 2, queries: 1, keys: 37, width: 64 },
  { batch: 2, heads: 3, queries: 1, keys: 5, width: 40 },
  { batch: 1, heads: 1, queries: 1, keys: 1, width: 1 },
  { batch: 1, heads: 2, queries: 3, keys: 9, width: 33 },
  { batch: 1, heads: 1, queries: 1, keys: 17, width: 100 },
  { batch: 1, heads: 2, queries: 0, keys: 3, width: 4 },
];

/** What codes stand for: one zero, and nothing but NaN in a block with one. */
const decoded = (rows: Values, format: BlockFormat): Values =>
  mapped(fakeQuantize(rows, { format, axis: -1 }), (value) => value + 0);

/** Rows of two parts, encoded by themselves, one after the other along the axis before the last. */
function appended(ops: Operations, parts: readonly Tensor[], format: BlockFormat): CodedRows {
  const [first, second] = parts.map((part) => ops.encodeRows(part, format)) as [CodedRows, CodedRows];
  const axis = first.shape.length - 2;
  const tensors = Object.fromEntries(
    Object.entries(first.tensors).map(([name, x]) => [name, ops.concatenate([x, second.tensors[name]!], axis)]),
  );
  return { format, shape: joinedShape(first.shape, second.shape), tensors };
}

async function checkRows(context: Context, rows: Values, format: BlockFormat): Promise<void> {
  const [lead, keys, width] = [rows.shape.slice(0, -2), ...rows.shape.slice(-2)] as [number[], number, number];
  const some = [...lead, Math.ceil(keys / 2), width];
  await context.check({
    label: `rows of ${format.name}`,
    bound: 'copy',
    kernel: 'encodeRows',
    inputs: [rows],
    run: (ops, [x]) => ops.scope(() => ops.decodeRows(ops.encodeRows(x!, format))),
    want: decoded(rows, format),
  });
  const begin = rows.shape.map(() => 0);
  await context.check({
    label: `appended rows of ${format.name}`,
    bound: 'copy',
    kernel: 'encodeRows',
    inputs: [rows, slice(rows, begin, some)],
    run: (ops, inputs) => ops.scope(() => ops.decodeRows(appended(ops, inputs, format))),
    want: decoded(joined(rows, slice(rows, begin, some)), format),
  });
}

function joinedShape(a: readonly number[], b: readonly number[]): readonly number[] {
  return [...a.slice(0, -2), a.at(-2)! + b.at(-2)!, a.at(-1)!];
}

/** Along the axis before the last. */
function joined(a: Values, b: Values): Values {
  const [keys, more, width] = [a.shape.at(-2)!, b.shape.at(-2)!, a.shape.at(-1)!];
  return floats(joinedShape(a.shape, b.shape), (i) => {
    const [matrix, row, column] = [
      Math.floor(i / width / (keys + more)),
      Math.floor(i / width) % (keys + more),
      i % width,
    ];
    return row < keys
      ? a.data[(matrix * keys + row) * width + column]!
      : b.data[(matrix * more + row - keys) * width + column]!;
  });
}

function formatCase(format: BlockFormat): Case {
  return {
    name: `${format.name}: values, appended rows and attention`,
    async run(context) {
      const { random } = context;
      for (const { batch, heads, queries, keys, width } of extentsToTry) {
        const query = normals(random, [batch, heads, queries, width]);
        // A few binades, so that blocks differ and codes below the normal numbers are among them.
        const rows = floats([batch, 2 * heads, keys, width], () => random.normal() * 2 ** random.integer(-5, 1));
        await checkRows(context, rows, format);
        const values = decoded(rows, format);
        const half = (which: number) => slice(values, [0, which * heads, 0, 0], [batch, heads, keys, width]);
        const scale = random.uniform(0.1, 0.5);
        await context.check({
          label: `codedAttention of ${format.name}`,
          bound: 'attention',
          kernel: 'codedAttention',
          inputs: [query, rows],
          run: (ops, [q, x]) => ops.scope(() => ops.codedAttention(q!, ops.encodeRows(x!, format), scale)),
          want: attention(query, half(0), half(1), { scale, causal: false }),
        });
      }
    },
  };
}

function specialCase(format: BlockFormat): Case {
  return {
    name: `${format.name}: zeros, and blocks with a NaN or an infinity`,
    async run(context) {
      const special = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
      const rows = floats([5, 70], (i) => {
        const [row, column] = [Math.floor(i / 70), i % 70];
        if (row === 3) return i % 2 === 0 ? 0 : -0;
        return row < 3 && column === 31 + row ? special[row]! : context.random.normal();
      });
      await checkRows(context, rows, format);
    },
  };
}

/** Keys and values that are kept as codes. */
export const codedRows: CaseGroup = {
  name: 'coded rows',
  cases: codedFormats.flatMap((format) => [formatCase(format), specialCase(format)]),
};
