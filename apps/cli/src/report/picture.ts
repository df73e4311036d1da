import { deflateSync } from 'node:zlib';

/** Larger pictures are reduced: a report shows them at this size at most. */
const mostPixels = 96;

/**
 * An input of a model as a PNG in base64: stretched to the range of its values, since inputs are normalized, and
 * reduced by averaging. One channel is grey; of more, the first three are colours.
 *
 * @param values shape [height, width, channels]
 */
export function pictureOf(values: ArrayLike<number>, width: number, height: number, channels: number): string {
  const factor = Math.max(1, Math.ceil(Math.max(width, height) / mostPixels));
  const [columns, rows] = [Math.floor(width / factor), Math.floor(height / factor)];
  const shown = channels >= 3 ? 3 : 1;
  const means = new Float64Array(columns * rows * shown);
  for (let at = 0; at < means.length; at++) {
    const [channel, column, row] = [at % shown, Math.floor(at / shown) % columns, Math.floor(at / shown / columns)];
    for (let y = 0; y < factor; y++) {
      for (let x = 0; x < factor; x++) {
        means[at]! += values[((row * factor + y) * width + column * factor + x) * channels + channel]!;
      }
    }
  }
  const low = means.reduce((least, value) => Math.min(least, value), Number.POSITIVE_INFINITY);
  const range = means.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY) - low;
  const bytes = Uint8Array.from(means, (value) => (range > 0 ? Math.round((255 * (value - low)) / range) : 0));
  return png(bytes, columns, rows, shown).toString('base64');
}

/** A PNG (W3C, third edition) of 8 bits a channel, grey or RGB, with unfiltered lines. */
function png(bytes: Uint8Array, width: number, height: number, channels: 1 | 3): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, channels === 1 ? 0 : 2], 8);
  const line = width * channels;
  const lines = Buffer.alloc(height * (line + 1));
  for (let row = 0; row < height; row++) lines.set(bytes.subarray(row * line, (row + 1) * line), row * (line + 1) + 1);
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(lines, { level: 9 })),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const framed = Buffer.alloc(body.length + 8);
  framed.writeUInt32BE(data.length, 0);
  framed.set(body, 4);
  framed.writeUInt32BE(crc32(body), body.length + 4);
  return framed;
}

/** CRC-32; `zlib.crc32` needs Node 20.15. */
function crc32(bytes: Uint8Array): number {
  let remainder = 0xffffffff;
  for (const byte of bytes) {
    remainder ^= byte;
    for (let bit = 0; bit < 8; bit++) remainder = (remainder >>> 1) ^ (remainder & 1 ? 0xedb88320 : 0);
  }
  return (remainder ^ 0xffffffff) >>> 0;
}
