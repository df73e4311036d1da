/**
 * The bytes of a text of lower-case hexadecimal digits, two for each byte. A module is stored so, since it compresses
 * better than in base64, whose digits do not align with bytes.
 */
export function bytesOfHex(hex: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(hex.length / 2);
  for (let i = 0; i < bytes.length; i++) bytes[i] = 16 * digitAt(hex, 2 * i) + digitAt(hex, 2 * i + 1);
  return bytes;
}

/** '0' is 48, 'a' is 97. */
function digitAt(hex: string, index: number): number {
  const code = hex.charCodeAt(index);
  return code < 58 ? code - 48 : code - 87;
}
