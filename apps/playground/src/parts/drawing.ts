import type { PixelData } from '@lmd/inference';

/** Pixels of a side of an MNIST image, and of the box that its digit fills. */
const side = 28;
const box = 20;

/** Grey pixels. */
export interface Digit extends PixelData {
  readonly channels: 1;
  readonly data: Uint8Array;
}

/**
 * A drawing as MNIST's digits are: its ink fits a box of 20 × 20 pixels, centred by its centre of mass in 28 × 28 (Y.
 * LeCun, "The MNIST database"). Undefined without ink.
 *
 * @param drawing light on dark, square, RGBA.
 */
export function asDigit(drawing: PixelData): Digit | undefined {
  const { width, height, data } = drawing;
  const ink = Float64Array.from({ length: width * height }, (_, n) => data[4 * n]! / 255);
  const bounds = boundsOf(ink, width, height);
  if (bounds === undefined) return undefined;
  const { left, top, right, bottom } = bounds;
  const scale = Math.max(right - left, bottom - top) / box;
  const small = new Float64Array(box * box);
  // The mean ink of the square that each pixel of the box covers.
  const [across, down] = [(left + right) / 2 - (box / 2) * scale, (top + bottom) / 2 - (box / 2) * scale];
  for (let y = 0; y < box; y++) {
    for (let x = 0; x < box; x++) {
      small[y * box + x] = meanOf(ink, width, height, across + x * scale, down + y * scale, scale);
    }
  }
  const total = small.reduce((sum, value) => sum + value, 0);
  const centre = (axis: (n: number) => number) =>
    small.reduce((sum, value, n) => sum + value * (axis(n) + 0.5), 0) / total;
  const shift = (mass: number) => Math.min(side - box, Math.max(0, Math.round(side / 2 - mass)));
  const right0 = shift(centre((n) => n % box));
  const down0 = shift(centre((n) => Math.floor(n / box)));
  const pixels = new Uint8Array(side * side);
  small.forEach((value, n) => {
    pixels[(Math.floor(n / box) + down0) * side + (n % box) + right0] = Math.round(255 * value);
  });
  return { width: side, height: side, channels: 1, data: pixels };
}

function boundsOf(ink: Float64Array, width: number, height: number) {
  let [left, top, right, bottom] = [width, height, 0, 0];
  ink.forEach((value, n) => {
    if (value < 0.1) return;
    const [x, y] = [n % width, Math.floor(n / width)];
    left = Math.min(left, x);
    right = Math.max(right, x + 1);
    top = Math.min(top, y);
    bottom = Math.max(bottom, y + 1);
  });
  return right > left ? { left, top, right, bottom } : undefined;
}

function meanOf(ink: Float64Array, width: number, height: number, left: number, top: number, size: number): number {
  let sum = 0;
  let count = 0;
  for (let y = Math.floor(top); y < top + size; y++) {
    for (let x = Math.floor(left); x < left + size; x++) {
      count += 1;
      if (x >= 0 && y >= 0 && x < width && y < height) sum += ink[y * width + x]!;
    }
  }
  return count === 0 ? 0 : sum / count;
}
