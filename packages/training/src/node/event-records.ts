import { maskedCrc32c } from './crc32c.js';

/** One `Event` of TensorBoard: values by tag at a step, or the version that starts a file. */
export interface EventRecord {
  /** Seconds since 1970. */
  readonly wallTime: number;
  readonly step: number;
  readonly fileVersion?: string;
  /** Values by tag, stored as 32-bit floats. */
  readonly scalars?: Readonly<Record<string, number>>;
}

/** What the first record of every file must have. */
export const fileVersion = 'brain.Event:2';

/**
 * An event as a TFRecord: length, masked CRC-32C of the length, the `Event` message (tensorflow/core/util/event.proto,
 * with `Summary.Value.simple_value` for scalars), masked CRC-32C of the message. Little-endian.
 */
export function encodeEvent({ wallTime, step, fileVersion, scalars }: EventRecord): Buffer {
  const values = Object.entries(scalars ?? {}).map(([tag, value]) =>
    field(1, Buffer.concat([field(1, Buffer.from(tag)), Buffer.of((2 << 3) | 5), float32(value)])),
  );
  const message = Buffer.concat([
    Buffer.of((1 << 3) | 1),
    float64(wallTime),
    // Protobuf omits a field with its default.
    ...(step === 0 ? [] : [Buffer.of(2 << 3), varint(step)]),
    ...(fileVersion === undefined ? [] : [field(3, Buffer.from(fileVersion))]),
    ...(scalars === undefined ? [] : [field(5, Buffer.concat(values))]),
  ]);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(message.length));
  return Buffer.concat([length, uint32(maskedCrc32c(length)), message, uint32(maskedCrc32c(message))]);
}

/** A record of a file with its place. */
export interface PlacedRecord {
  readonly record: EventRecord;
  /** The byte after it. */
  readonly end: number;
}

export interface DecodedRecords {
  readonly records: readonly PlacedRecord[];
  /** `torn`: the last record is incomplete, as after a kill. `damaged`: a record does not match its checksums. */
  readonly tail: 'complete' | 'torn' | 'damaged';
}

const framing = 16;

/** The records of a file up to the first that is incomplete or damaged. */
export function decodeEvents(bytes: Buffer): DecodedRecords {
  const records: PlacedRecord[] = [];
  let at = 0;
  while (at < bytes.length) {
    if (at + 12 > bytes.length) return { records, tail: 'torn' };
    const header = bytes.subarray(at, at + 8);
    if (bytes.readUInt32LE(at + 8) !== maskedCrc32c(header)) return { records, tail: 'damaged' };
    const length = Number(header.readBigUInt64LE());
    const end = at + framing + length;
    if (end > bytes.length) return { records, tail: 'torn' };
    const message = bytes.subarray(at + 12, end - 4);
    if (bytes.readUInt32LE(end - 4) !== maskedCrc32c(message)) return { records, tail: 'damaged' };
    records.push({ record: decodeMessage(message), end });
    at = end;
  }
  return { records, tail: 'complete' };
}

function decodeMessage(message: Buffer): EventRecord {
  let record: EventRecord = { wallTime: 0, step: 0 };
  for (const { number, value } of fieldsOf(message)) {
    if (number === 1) record = { ...record, wallTime: (value as Buffer).readDoubleLE() };
    if (number === 2) record = { ...record, step: value as number };
    if (number === 3) record = { ...record, fileVersion: (value as Buffer).toString() };
    if (number === 5) record = { ...record, scalars: decodeSummary(value as Buffer) };
  }
  return record;
}

function decodeSummary(summary: Buffer): Record<string, number> {
  const scalars: Record<string, number> = {};
  for (const { value } of fieldsOf(summary)) {
    const parts = fieldsOf(value as Buffer);
    const tag = parts.find(({ number }) => number === 1)?.value as Buffer;
    const scalar = parts.find(({ number }) => number === 2)?.value as Buffer | undefined;
    if (scalar !== undefined) scalars[tag.toString()] = scalar.readFloatLE();
  }
  return scalars;
}

/** The fields of a message: a number for a varint, bytes otherwise. */
function fieldsOf(message: Buffer): { readonly number: number; readonly value: number | Buffer }[] {
  const fields: { number: number; value: number | Buffer }[] = [];
  let at = 0;
  const readVarint = () => {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = message[at++]!;
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
  };
  const take = (length: number) => {
    at += length;
    return message.subarray(at - length, at);
  };
  while (at < message.length) {
    const key = readVarint();
    const wire = key & 7;
    const value = wire === 0 ? readVarint() : take(wire === 1 ? 8 : wire === 5 ? 4 : readVarint());
    fields.push({ number: key >>> 3, value });
  }
  return fields;
}

/** A length-delimited field. */
function field(number: number, bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.of((number << 3) | 2), varint(bytes.length), bytes]);
}

/** A whole number below 2^53, seven bits a byte. */
function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80);
  return Buffer.from([...bytes, rest]);
}

function float64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value);
  return bytes;
}

function float32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return bytes;
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}
