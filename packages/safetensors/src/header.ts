import { byteLengthOf, checkDtype, type SafetensorsDtype } from './dtypes.js';
import { SafetensorsError, show } from './errors.js';
import { HeaderScanner } from './header-scanner.js';

/** Size of the length field before the header, an unsigned 64-bit little-endian integer. */
export const lengthBytes = 8;
/** The longest header that the format allows. */
export const maxHeaderBytes = 100_000_000;

export interface TensorEntry {
  readonly dtype: SafetensorsDtype;
  readonly shape: readonly number[];
  /** Start (inclusive) and end (exclusive) of the bytes, relative to the end of the header. */
  readonly begin: number;
  readonly end: number;
}

export type SafetensorsMetadata = { readonly [name: string]: string };

export interface SafetensorsHeader {
  /** An empty record if absent in the file. It has no prototype. */
  readonly metadata: SafetensorsMetadata;
  /** Tensors in the order of their bytes. */
  readonly entries: ReadonlyMap<string, TensorEntry>;
}

/** Reads the length of the header and checks it against the size of the file. */
export function parseHeaderLength(start: Uint8Array, fileBytes: number): number {
  if (start.length < lengthBytes || fileBytes < lengthBytes) {
    throw truncated(
      `The file has ${Math.min(start.length, fileBytes)} bytes, which are too few for a safetensors file`,
      start.length,
    );
  }
  const length = new DataView(start.buffer, start.byteOffset, lengthBytes).getBigUint64(0, true);
  if (length > BigInt(maxHeaderBytes)) {
    throw new SafetensorsError(
      'HEADER_TOO_LARGE',
      `The header length is ${length} bytes, but the format allows at most ${maxHeaderBytes}.`,
      {
        subject: 'header',
        value: length,
        remedy: 'This is not a safetensors file, or it is damaged. Download or write it again.',
      },
    );
  }
  if (lengthBytes + Number(length) > fileBytes) {
    throw truncated(`The header length is ${length} bytes, but only ${fileBytes - lengthBytes} follow`, fileBytes);
  }
  return Number(length);
}

/** Parses and checks a whole header against the number of bytes that follow it. */
export function parseHeader(header: Uint8Array, dataBytes: number): SafetensorsHeader {
  if (header[0] !== 0x7b) {
    throw new SafetensorsError('HEADER_INVALID', `The header begins with ${show(header[0])}, not with "{" (0x7B).`, {
      subject: 'header',
      value: header[0],
      remedy: 'This is not a safetensors file, or it is damaged. Download or write it again.',
    });
  }
  const scanner = new HeaderScanner(decode(header));
  const metadata: Record<string, string> = Object.create(null);
  const entries: [string, TensorEntry][] = [];
  scanner.object('the header', (name) => {
    if (name === '__metadata__') {
      scanner.object('__metadata__', (key) => {
        metadata[key] = scanner.string(`the value of ${show(key)} in __metadata__`);
      });
    } else {
      entries.push([name, parseEntry(scanner, name)]);
    }
  });
  scanner.end();
  return { metadata, entries: checkLayout(entries, dataBytes) };
}

function decode(header: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(header);
  } catch (cause) {
    throw new SafetensorsError('HEADER_INVALID', 'The header is not valid UTF-8.', {
      subject: 'header',
      remedy: 'This is not a safetensors file, or it is damaged. Download or write it again.',
      cause,
    });
  }
}

function parseEntry(scanner: HeaderScanner, name: string): TensorEntry {
  let dtype: string | undefined;
  let shape: number[] | undefined;
  let offsets: number[] | undefined;
  const what = `the entry of ${show(name)}`;
  scanner.object(what, (key) => {
    if (key === 'dtype') dtype = scanner.string(`the dtype of ${show(name)}`);
    else if (key === 'shape') shape = scanner.integers(`the shape of ${show(name)}`);
    else if (key === 'data_offsets') offsets = scanner.integers(`the data_offsets of ${show(name)}`);
    else throw entryError(name, `has the unknown field ${show(key)}`, key);
  });
  if (dtype === undefined) throw entryError(name, 'has no dtype', undefined);
  if (shape === undefined) throw entryError(name, 'has no shape', undefined);
  if (offsets === undefined) throw entryError(name, 'has no data_offsets', undefined);
  if (offsets.length !== 2) throw entryError(name, `has ${offsets.length} data_offsets`, offsets);
  checkDtype(name, dtype);
  return { dtype, shape, begin: offsets[0]!, end: offsets[1]! };
}

/**
 * Checks that the tensors are contiguous, without overlap or gap, to the end of the data.
 */
function checkLayout(entries: [string, TensorEntry][], dataBytes: number): Map<string, TensorEntry> {
  entries.sort(([, a], [, b]) => a.begin - b.begin || a.end - b.end);
  let cursor = 0;
  for (const [name, { dtype, shape, begin, end }] of entries) {
    const bytes = byteLengthOf(dtype, shape, name);
    if (begin < cursor) throw offsetsError(name, begin, end, `overlap the previous tensor, which ends at ${cursor}`);
    if (begin > cursor) throw offsetsError(name, begin, end, `leave a gap from ${cursor}`);
    if (end - begin !== bytes) {
      throw offsetsError(
        name,
        begin,
        end,
        `span ${end - begin} bytes, but ${dtype} of shape ${show(shape)} takes ${bytes}`,
      );
    }
    if (end > dataBytes)
      throw truncated(`"${name}" ends at byte ${end} of the data, but there are only ${dataBytes}`, dataBytes, name);
    cursor = end;
  }
  if (cursor < dataBytes) {
    throw new SafetensorsError(
      'OFFSETS_INVALID',
      `${dataBytes - cursor} bytes after the last tensor belong to no tensor.`,
      {
        subject: 'data',
        value: dataBytes - cursor,
        remedy: 'The file is damaged or a concatenation of two files. Download or write it again.',
      },
    );
  }
  return new Map(entries);
}

function entryError(name: string, problem: string, value: unknown): SafetensorsError {
  return new SafetensorsError('HEADER_INVALID', `The entry of ${show(name)} ${problem}.`, {
    subject: name,
    value,
    remedy: 'An entry must have exactly dtype, shape and two data_offsets.',
  });
}

function offsetsError(name: string, begin: number, end: number, problem: string): SafetensorsError {
  return new SafetensorsError('OFFSETS_INVALID', `The offsets [${begin}, ${end}] of ${show(name)} ${problem}.`, {
    subject: name,
    value: [begin, end],
    remedy: 'The file is damaged. Download or write it again.',
  });
}

function truncated(problem: string, value: number, subject = 'file'): SafetensorsError {
  return new SafetensorsError('TRUNCATED', `${problem}.`, {
    subject,
    value,
    remedy: 'The file is truncated, or not a safetensors file. Download or write it again.',
  });
}
