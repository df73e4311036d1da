import { LmdError } from '@lmd/core';

/** One bit for each value, the lowest bit of a byte first: 1 where the value is negative. ⌈values / 8⌉ bytes. */
export function packSigns(values: ArrayLike<number>): Uint8Array {
  const bytes = new Uint8Array(Math.ceil(values.length / 8));
  for (let i = 0; i < values.length; i += 1) if (values[i]! < 0) bytes[i >> 3]! |= 1 << (i & 7);
  return bytes;
}

/**
 * The signs +1 and −1 that `packSigns` packed.
 *
 * @throws LmdError `DATA_CORRUPT` for another number of bytes.
 */
export function unpackSigns(bytes: Uint8Array, count: number): Float32Array {
  if (bytes.length !== Math.ceil(count / 8)) {
    throw new LmdError('DATA_CORRUPT', `${bytes.length} bytes arrived for ${count} signs.`, {
      subject: 'bytes',
      value: bytes.length,
      remedy: `Send ${Math.ceil(count / 8)}.`,
    });
  }
  return Float32Array.from({ length: count }, (_, i) => ((bytes[i >> 3]! >> (i & 7)) & 1 ? -1 : 1));
}

/**
 * The sign of the weighted sum of several clients' signs; of a tie, that of `before`.
 *
 * @param votes packed signs of a client, and its weight.
 */
export function majority(
  votes: readonly { readonly bytes: Uint8Array; readonly weight: number }[],
  before: Float32Array,
): Float32Array {
  const sums = new Float64Array(before.length);
  for (const { bytes, weight } of votes) {
    for (const [i, sign] of unpackSigns(bytes, before.length).entries()) sums[i]! += weight * sign;
  }
  return before.map((sign, i) => (sums[i] === 0 ? sign : Math.sign(sums[i]!)));
}
