const offsetBasis = 0x811c_9dc5;
const prime = 0x0100_0193;

/**
 * The stream number of a name, such as a weight's: FNV-1a of its UTF-8 bytes, unsigned 32 bits. A name, not a position,
 * chooses the noise, so that adding a weight does not change the noise of others. Lone surrogates count as U+FFFD.
 */
export function streamOf(name: string): number {
  let hash = offsetBasis;
  const add = (byte: number) => {
    hash = Math.imul(hash ^ byte, prime);
  };
  for (const character of name) {
    const point = character.codePointAt(0)!;
    const code = point >= 0xd800 && point <= 0xdfff ? 0xfffd : point;
    if (code < 0x80) {
      add(code);
      continue;
    }
    // Leading byte: as many high ones as there are bytes, then the top bits; each further byte holds six.
    const following = code < 0x800 ? 1 : code < 0x1_0000 ? 2 : 3;
    add(((0xff00 >> (following + 1)) & 0xff) | (code >>> (6 * following)));
    for (let shift = 6 * (following - 1); shift >= 0; shift -= 6) add(0x80 | ((code >>> shift) & 0x3f));
  }
  return hash >>> 0;
}
