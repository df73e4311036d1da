import {
  type CodedRowKernels,
  type CodedRows,
  type ElementFormat,
  type FloatTensor,
  type FusedKernels,
  type Primitives,
  roundingDefaults,
  rowBlocks,
  sizeOf,
  type Tensor,
} from '@lmd/core';
import { fakeQuantize } from './fake-quantize.js';
import type { MemoryHost } from './memory-host.js';
import { CodedKind, mostCodedKeys, widestCodedRow } from './wasm/numbers.js';

/** Nanoseconds a value. */
const encodeCost = 2;
const decodeCost = 0.5;
const attentionCost = 0.6;

/** What this backend keeps of rows. */
interface CpuRows {
  /** Rows of words as `assembly/coded-rows.ts` lays them out, i32 [..., words]. */
  readonly codes: Tensor;
}

const codesOf = ({ tensors }: CodedRows): Tensor => (tensors as unknown as CpuRows).codes;

interface Attention extends Pick<FusedKernels, 'attention'>, Pick<Primitives, 'slice'> {}

/** Rows of codes, and attention that decodes a few of them at a time. */
export function cpuCodedRows(host: MemoryHost, { attention, slice }: Attention): CodedRowKernels {
  const { run, address, make, store } = host;

  function decode(rows: CodedRows): FloatTensor {
    const width = rows.shape.at(-1)!;
    return make(rows.shape, 'f32', (out) => {
      const split = { total: sizeOf(rows.shape) / width, cost: decodeCost * width };
      run('decodeRows', split, { ...layoutOf(rows), codes: address(codesOf(rows)), out: address(out) });
    });
  }

  /** Several queries share the values of all keys. */
  function attendToValues(query: FloatTensor, rows: CodedRows, scale: number): FloatTensor {
    const [batch, both, keys, width] = rows.shape as [number, number, number, number];
    const values = decode(rows);
    const halves = [0, both / 2].map((first) => slice(values, [0, first, 0, 0], [batch, both / 2, keys, width])) as [
      FloatTensor,
      FloatTensor,
    ];
    const result = attention(query, ...halves, { scale, causal: false });
    for (const made of [values, ...halves]) store.free(made);
    return result;
  }

  return {
    encodeRows(x, format) {
      const { shape } = x;
      const width = shape.at(-1)!;
      const rounded = fakeQuantize(host, x, { format, axis: shape.length - 1, ...roundingDefaults });
      const layout = layoutOf({ format, shape });
      const codes = host.allocate([...shape.slice(0, -1), wordsOf(layout)], 'i32');
      const split = { total: sizeOf(shape) / width, cost: encodeCost * width };
      const { emax } = format.element;
      run('encodeRows', split, { ...layout, emax, x: address(rounded), codes: address(codes) });
      store.free(rounded);
      const parts: CpuRows = { codes };
      return { ...parts };
    },

    decodeRows: decode,

    codedAttention(query, rows, scale) {
      const [batch, heads, queries, width] = query.shape as [number, number, number, number];
      const keys = rows.shape[2]!;
      if (queries > 1 || width > widestCodedRow || keys > mostCodedKeys) return attendToValues(query, rows, scale);
      return make(query.shape, 'f32', (out) => {
        const split = { total: batch * heads, cost: attentionCost * 2 * keys * width };
        run('codedAttention', split, {
          ...layoutOf(rows),
          query: address(query),
          codes: address(codesOf(rows)),
          out: address(out),
          heads,
          keys,
          scale,
        });
      });
    },
  };
}

/** Arguments that tell the kernels how rows are laid out. */
function layoutOf({ format, shape }: Omit<CodedRows, 'tensors'>) {
  const { element } = format;
  const { mantissaBits, emin } = element;
  const width = shape.at(-1)!;
  return { width, size: rowBlocks(width, format).size, kind: CodedKind[kindOf(element)], mantissaBits, emin };
}

function kindOf(element: ElementFormat): keyof typeof CodedKind {
  if (element.bits === 4) return 'nibbles';
  const { emin, mantissaBits, largest } = element;
  return largest * 2 ** (mantissaBits - emin) <= 127 ? 'integers' : 'bytes';
}

function wordsOf({ width, size, kind }: ReturnType<typeof layoutOf>): number {
  const blocks = Math.ceil(width / size);
  const bytes = 16 * Math.ceil(size / (kind === CodedKind.nibbles ? 32 : 16));
  return Math.ceil((blocks * (bytes + 1)) / 4);
}
