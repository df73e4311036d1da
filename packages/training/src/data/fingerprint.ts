/** Input of a fingerprint: text as UTF-8, numbers as float64, and arrays as bytes. */
export type FingerprintPart = string | number | ArrayBufferView;

const encoder = new TextEncoder();

/**
 * A fingerprint of `parts` and their order: 16 hexadecimal digits, equal for equal contents on every little-endian
 * machine. It detects accidental changes, at about a gigabyte per second; it is not cryptographic.
 *
 * Two lanes of MurmurHash3 (A. Appleby, public domain, `MurmurHash3_x86_32`) with different multipliers.
 */
export function fingerprintOf(parts: Iterable<FingerprintPart>): string {
  let first = 0x2545_f491;
  let second = 0x9e37_79b9;
  const add = (word: number) => {
    const k = Math.imul(word, 0xcc9e_2d51);
    first ^= Math.imul((k << 15) | (k >>> 17), 0x1b87_3593);
    first = (Math.imul((first << 13) | (first >>> 19), 5) + 0xe654_6b64) | 0;
    const l = Math.imul(word, 0x239b_961b);
    second ^= Math.imul((l << 16) | (l >>> 16), 0xab0e_9789);
    second = (Math.imul((second << 17) | (second >>> 15), 5) + 0x38b3_4ae5) | 0;
  };
  for (const part of parts) {
    const { kind, bytes } = bytesOf(part);
    // Kind and length come first, so that adjacent parts cannot be confused.
    add(kind);
    add(bytes.length);
    const words = bytes.length >>> 2;
    // A view of words must begin at a multiple of four bytes; otherwise the bytes are copied.
    const aligned = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
    const whole = new Uint32Array(aligned.buffer, aligned.byteOffset, words);
    for (let index = 0; index < words; index++) add(whole[index]!);
    for (let index = 4 * words; index < bytes.length; index++) add(bytes[index]!);
  }
  return mixed(first) + mixed(second);
}

function bytesOf(part: FingerprintPart): { readonly kind: number; readonly bytes: Uint8Array } {
  if (typeof part === 'string') return { kind: 1, bytes: encoder.encode(part) };
  if (typeof part === 'number') return { kind: 2, bytes: new Uint8Array(Float64Array.of(part).buffer) };
  return { kind: 3, bytes: new Uint8Array(part.buffer, part.byteOffset, part.byteLength) };
}

/** The final mix of MurmurHash3, as eight hexadecimal digits. */
function mixed(lane: number): string {
  let hash = lane;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85eb_ca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2_ae35);
  return ((hash ^ (hash >>> 16)) >>> 0).toString(16).padStart(8, '0');
}
