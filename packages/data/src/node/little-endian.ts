import { endianness } from 'node:os';

/** Tokens below 65,536 as the bytes of a token file. */
export function littleEndianTokens(tokens: Int32Array): Uint8Array {
  const words = Uint16Array.from(tokens);
  const bytes = Buffer.from(words.buffer, words.byteOffset, words.byteLength);
  return endianness() === 'LE' ? bytes : bytes.swap16();
}

/** The tokens of bytes of a token file, which may be changed for it. Their memory begins at an even address. */
export function tokensOfBytes(bytes: Uint8Array): Uint16Array {
  if (endianness() === 'BE') Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).swap16();
  return new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2);
}
