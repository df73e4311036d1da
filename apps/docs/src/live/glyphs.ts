/** Ten digits of 5 × 7 pixels, a row a line. */
const drawn = [
  '01110 10001 10011 10101 11001 10001 01110',
  '00100 01100 00100 00100 00100 00100 01110',
  '01110 10001 00001 00110 01000 10000 11111',
  '11110 00001 00001 01110 00001 00001 11110',
  '00010 00110 01010 10010 11111 00010 00010',
  '11111 10000 11110 00001 00001 10001 01110',
  '00110 01000 10000 11110 10001 10001 01110',
  '11111 00001 00010 00100 01000 01000 01000',
  '01110 10001 10001 01110 10001 10001 01110',
  '01110 10001 10001 01111 00001 00010 01100',
].map((rows) => [...rows.replaceAll(' ', '')].map(Number));

export const imageSize = 12;
export const classes = drawn.length;

export interface GlyphBatch {
  /** [count, 12, 12, 1], about 0 (paper) to 1 (ink). */
  readonly images: Float32Array;
  /** [count], the digit. */
  readonly labels: Int32Array;
}

/**
 * Digits at random places, of random strength, in noise.
 *
 * @param uniform numbers in [0, 1), such as `Math.random`
 */
export function glyphBatch(count: number, uniform: () => number): GlyphBatch {
  const images = Float32Array.from({ length: count * imageSize ** 2 }, () => 0.35 * (uniform() + uniform() - 1));
  const labels = Int32Array.from({ length: count }, () => Math.floor(uniform() * classes));
  labels.forEach((label, n) => {
    const left = 3 + Math.floor(uniform() * 2);
    const top = 2 + Math.floor(uniform() * 2);
    const ink = 0.6 + 0.4 * uniform();
    drawn[label]!.forEach((pixel, at) => {
      const x = left + (at % 5);
      const y = top + Math.floor(at / 5);
      images[(n * imageSize + y) * imageSize + x]! += pixel * ink;
    });
  });
  return { images, labels };
}
