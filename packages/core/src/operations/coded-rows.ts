import { type CodedRows, canCodeRows } from '../coded-rows.js';
import { compositions } from '../compositions/index.js';
import { describeValue, LmdError } from '../errors.js';
import type { BlockFormat } from '../formats.js';
import type { EagerOperations } from '../operations.js';
import { sizeOf, type Tensor } from '../tensor.js';
import { type Check, type Context, checkFinite, checkRecord, floats } from './context.js';
import { isFormat } from './quantization.js';
import { formatShape, sameShape, shapeMismatch } from './shapes.js';

export type CodedRowOperations = Pick<EagerOperations, 'encodeRows' | 'decodeRows' | 'codedAttention'>;

export function codedRowOperations(context: Context, operations: () => EagerOperations): CodedRowOperations {
  const { backend, constant, track } = context;
  const check: Check = context.check;
  const { encodeRows, decodeRows, codedAttention } = backend.fused;
  // The tensors of rows are of one making.
  const kernels = encodeRows && decodeRows && codedAttention ? { encodeRows, decodeRows, codedAttention } : undefined;

  function checkRows(name: string, rows: CodedRows): void {
    checkRecord(name, 'rows', rows);
    const lead = rows.shape.slice(0, -1);
    for (const x of Object.values(rows.tensors)) {
      check(name, x);
      if (sameShape(lead, x.shape.slice(0, -1))) continue;
      throw shapeMismatch(
        name,
        `a tensor of the codes is ${formatShape(x.shape)}, and the rows are ${formatShape(rows.shape)}.`,
        [rows.shape, x.shape],
        'All axes but the last must be equal: concatenate or slice each tensor of the rows alike.',
      );
    }
  }

  return {
    encodeRows(x, format) {
      const name = 'encodeRows';
      check(name, x, floats);
      checkFormat(name, format);
      if (x.shape.length === 0) throw shapeMismatch(name, 'a scalar has no last axis.', x.shape);
      const rows = { format, shape: x.shape };
      if (sizeOf(x.shape) === 0) return { ...rows, tensors: {} };
      if (kernels === undefined) return { ...rows, tensors: compositions.encodeRows(operations(), x, format) };
      const tensors = kernels.encodeRows(x, format);
      for (const part of Object.values(tensors)) track(name, part);
      return { ...rows, tensors };
    },

    decodeRows(rows) {
      const name = 'decodeRows';
      checkRows(name, rows);
      if (sizeOf(rows.shape) === 0) return constant(name, rows.shape, 0, 'f32');
      return kernels === undefined
        ? compositions.decodeRows(operations(), rows)
        : track(name, kernels.decodeRows(rows));
    },

    codedAttention(query, rows, scale) {
      const name = 'codedAttention';
      check(name, query, floats);
      checkRows(name, rows);
      checkAttention(name, query, rows);
      const factor = scale ?? 1 / Math.sqrt(query.shape[3]!);
      checkFinite(name, 'scale', factor);
      if (sizeOf(query.shape) === 0) return constant(name, query.shape, 0, 'f32');
      return kernels === undefined
        ? compositions.codedAttention(operations(), query, rows, factor)
        : track(name, kernels.codedAttention(query, rows, factor));
    },
  };
}

function checkFormat(name: string, format: BlockFormat): void {
  if (!isFormat(format)) {
    throw new LmdError('INVALID_ARGUMENT', `${name}: format is ${describeValue(format)}.`, {
      subject: 'format',
      value: format,
      remedy: 'Use a block format, such as one of @lmd/mx-formats.',
    });
  }
  if (canCodeRows(format)) return;
  throw new LmdError('UNSUPPORTED', `${name}: rows cannot be encoded in the format "${format.name}".`, {
    subject: 'format',
    value: format.name,
    remedy: 'Use a format with scales that are powers of two (e8m0) and elements of 4 to 8 bits; see canCodeRows.',
  });
}

function checkAttention(name: string, query: Tensor, { shape }: CodedRows): void {
  const q = query.shape;
  const fits = q.length === 4 && shape.length === 4 && q[0] === shape[0] && 2 * q[1]! === shape[1] && q[3] === shape[3];
  if (fits && (shape[2]! > 0 || sizeOf(q) === 0)) return;
  throw shapeMismatch(
    name,
    `query ${formatShape(q)} and rows ${formatShape(shape)} do not fit.`,
    [q, shape],
    'They must be [batch, heads, queries, width] and [batch, 2 · heads, keys, width].',
  );
}
