/** The visible character that GPT-2's files write for each byte (`bytes_to_unicode` of GPT-2's `encoder.py`). */
const characters: readonly string[] = (() => {
  const isVisible = (byte: number) =>
    (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || (byte >= 0xae && byte <= 0xff);
  let next = 256;
  return Array.from({ length: 256 }, (_, byte) => String.fromCodePoint(isVisible(byte) ? byte : next++));
})();

/** Bytes as the text of `vocab.json` and `merges.txt`. */
export const visible = (bytes: Iterable<number>): string => Array.from(bytes, (byte) => characters[byte]!).join('');

/**
 * The merges of a byte-pair vocabulary, in order: token `rank` is the pair that the merges before it leave of its
 * bytes. A vocabulary of ranks does not say them, but they follow from it.
 *
 * @param tokens the bytes of each token, by rank; the first 256 are single bytes.
 */
export function mergesOf(tokens: readonly Uint8Array[]): readonly (readonly [left: string, right: string])[] {
  const texts = tokens.map(visible);
  const ranks = new Map(texts.map((text, rank) => [text, rank]));
  const merges: (readonly [string, string])[] = [];
  for (let rank = 256; rank < texts.length; rank++) {
    const parts = [...texts[rank]!];
    while (parts.length > 2) {
      let [best, at] = [rank, -1];
      for (let i = 0; i + 1 < parts.length; i++) {
        const pair = ranks.get(parts[i]! + parts[i + 1]!) ?? rank;
        if (pair < best) [best, at] = [pair, i];
      }
      if (at < 0) throw new Error(`Token ${rank} is not a pair of earlier tokens.`);
      parts.splice(at, 2, parts[at]! + parts[at + 1]!);
    }
    merges.push([parts[0]!, parts[1]!]);
  }
  return merges;
}
