import { readFileSync } from 'node:fs';

/** CRC-32C as in RFC 3720, bit by bit, with TensorFlow's mask. */
function maskedCrc(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0);
  }
  crc = ~crc >>> 0;
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

/**
 * The events of a file as TensorBoard reads them: a length, its CRC, the message and its CRC. An independent reader of
 * what `tensorboardLog` writes.
 *
 * @returns the step of each event, and the text of its message, which has the tags.
 */
export function readEventFile(path: string): { readonly step: number; readonly text: string }[] {
  const bytes = readFileSync(path);
  const events: { readonly step: number; readonly text: string }[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = Number(bytes.readBigUInt64LE(at));
    const message = bytes.subarray(at + 12, at + 12 + length);
    const sums = [bytes.readUInt32LE(at + 8), bytes.readUInt32LE(at + 12 + length)];
    const expected = [maskedCrc(bytes.subarray(at, at + 8)), maskedCrc(message)];
    if (sums.join() !== expected.join()) throw new Error(`${path}: the event at byte ${at} is damaged.`);
    events.push({ step: stepOf(message), text: message.toString('latin1') });
    at += length + 16;
  }
  return events;
}

/** Event.wall_time is field 1, a double; Event.step is field 2, a varint, and absent if 0. */
function stepOf(message: Buffer): number {
  let step = 0;
  if (message[0] !== 0x09 || message[9] !== 0x10) return step;
  for (let at = 10, shift = 0; ; at++, shift += 7) {
    step += (message[at]! & 0x7f) * 2 ** shift;
    if (message[at]! < 0x80) return step;
  }
}
