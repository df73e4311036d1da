import { checkByteArray } from './arrays.js';
import { describeValue, MxFormatError } from './errors.js';

/** Bytes that `count` codes of `bits` bits take when packed. */
export function packedLength(count: number, bits: number): number {
  return Math.ceil((count * bits) / 8);
}

/**
 * Packs codes, one a byte, into a dense little-endian bit stream: code i holds the bits i·bits … i·bits + bits − 1,
 * where bit b of the stream is bit b mod 8 of byte ⌊b / 8⌋. So 4-bit codes go low nibble first, and four 6-bit codes
 * fill 3 bytes. The unused high bits of the last byte are zero.
 *
 * @param bits bits of a code: 1 to 8
 * @throws MxFormatError `INVALID_ARGUMENT` for a code that needs more bits
 */
export function pack(codes: Uint8Array, bits: number): Uint8Array {
  checkByteArray('codes', codes);
  checkBits(bits);
  const out = new Uint8Array(packedLength(codes.length, bits));
  packInto(codes, bits, out);
  return out;
}

/** As `pack`, into `out`. */
function packInto(codes: Uint8Array, bits: number, out: Uint8Array): void {
  const limit = 1 << bits;
  const count = codes.length;
  let seen = 0;
  let at = 0;
  let i = 0;
  if (bits === 8) {
    out.set(codes);
    return;
  }
  if (bits === 4) {
    for (; i + 1 < count; i += 2) {
      const low = codes[i]!;
      const high = codes[i + 1]!;
      seen |= low | high;
      out[at++] = low | (high << 4);
    }
  } else if (bits === 6) {
    for (; i + 3 < count; i += 4) {
      const word = codes[i]! | (codes[i + 1]! << 6) | (codes[i + 2]! << 12) | (codes[i + 3]! << 18);
      seen |= codes[i]! | codes[i + 1]! | codes[i + 2]! | codes[i + 3]!;
      out[at] = word;
      out[at + 1] = word >>> 8;
      out[at + 2] = word >>> 16;
      at += 3;
    }
  }
  let held = 0;
  let heldBits = 0;
  for (; i < count; i++) {
    seen |= codes[i]!;
    held |= codes[i]! << heldBits;
    heldBits += bits;
    if (heldBits >= 8) {
      out[at++] = held;
      held >>>= 8;
      heldBits -= 8;
    }
  }
  if (heldBits > 0) out[at] = held;
  if (seen >= limit) {
    const position = codes.findIndex((code) => code >= limit);
    throw new MxFormatError(
      'INVALID_ARGUMENT',
      `The code ${codes[position]} at ${position} needs more than ${bits} bits.`,
      {
        subject: 'codes',
        value: codes[position],
        remedy: `Codes of ${bits} bits must be below ${limit}.`,
      },
    );
  }
}

/**
 * Unpacks `count` codes, one a byte: the inverse of `pack`.
 *
 * @throws MxFormatError `SHAPE_MISMATCH` where the packed length is not that of `count` codes; `DATA_CORRUPT` where
 *   bits after the last code are set
 */
export function unpack(packed: Uint8Array, bits: number, count: number): Uint8Array {
  checkByteArray('packed', packed);
  checkBits(bits);
  if (!Number.isSafeInteger(count) || count < 0 || packed.length !== packedLength(count, bits)) {
    throw new MxFormatError(
      'SHAPE_MISMATCH',
      `${describeValue(count)} codes of ${bits} bits do not fill ${packed.length} bytes.`,
      {
        subject: 'packed',
        value: packed.length,
        remedy:
          Number.isSafeInteger(count) && count >= 0
            ? `Pass ${packedLength(count, bits)} bytes, or the right number of codes.`
            : 'The number of codes is a whole number, 0 or more.',
      },
    );
  }
  checkPadding(packed, bits, count);
  const codes = new Uint8Array(count);
  unpackInto(packed, bits, codes);
  return codes;
}

/** @throws MxFormatError `DATA_CORRUPT` if bits after the last code are set */
export function checkPadding(packed: Uint8Array, bits: number, count: number): void {
  const used = (count * bits) % 8;
  if (used !== 0 && packed[packed.length - 1]! >>> used !== 0) {
    throw new MxFormatError(
      'DATA_CORRUPT',
      `The last byte of the packed codes, ${packed.at(-1)}, has bits beyond the last code.`,
      {
        subject: 'packed',
        value: packed.at(-1),
        remedy: 'Check the number of codes and their bits: `pack` sets unused bits to zero.',
      },
    );
  }
}

/** As `unpack`, without checks, into `codes`. */
function unpackInto(packed: Uint8Array, bits: number, codes: Uint8Array): void {
  const count = codes.length;
  let at = 0;
  let i = 0;
  if (bits === 8) {
    codes.set(packed);
    return;
  }
  if (bits === 4) {
    for (; i + 1 < count; i += 2) {
      const byte = packed[at++]!;
      codes[i] = byte & 15;
      codes[i + 1] = byte >>> 4;
    }
  } else if (bits === 6) {
    for (; i + 3 < count; i += 4) {
      const word = packed[at]! | (packed[at + 1]! << 8) | (packed[at + 2]! << 16);
      at += 3;
      codes[i] = word & 63;
      codes[i + 1] = (word >>> 6) & 63;
      codes[i + 2] = (word >>> 12) & 63;
      codes[i + 3] = word >>> 18;
    }
  }
  const mask = (1 << bits) - 1;
  let held = 0;
  let heldBits = 0;
  for (; i < count; i++) {
    if (heldBits < bits) {
      held |= packed[at++]! << heldBits;
      heldBits += 8;
    }
    codes[i] = held & mask;
    held >>>= bits;
    heldBits -= bits;
  }
}

function checkBits(bits: number): void {
  if (!Number.isInteger(bits) || bits < 1 || bits > 8) {
    throw new MxFormatError('INVALID_ARGUMENT', `A code of ${describeValue(bits)} bits cannot be packed.`, {
      subject: 'bits',
      value: bits,
      remedy: 'Use a whole number from 1 to 8.',
    });
  }
}
