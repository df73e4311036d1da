import { Draws } from './draws.js';

export interface MixingOptions {
  /** α of mixup's distribution Beta(α, α); 0 disables mixup. */
  readonly mixup: number;
  /** α of cutmix's distribution; 0 disables cutmix. If both are enabled, one is chosen at random for each image. */
  readonly cutmix: number;
}

interface BatchShape {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

/**
 * Mixes the images of a batch in place: row r with the original row n − 1 − r, a random example because the data is
 * shuffled. Method and amount are a function of (seed, epoch, index of the image).
 *
 * mixup: λ·x + (1 − λ)·x', λ ~ Beta(α, α) (Zhang et al., arXiv:1710.09412). cutmix: a rectangle with the fraction 1 − λ
 * of the area, at a uniform centre and clipped at the border, is replaced by that of x' (Yun et al., arXiv:1905.04899).
 *
 * @param data f32 [n, height, width, channels].
 * @returns for each row the weight of its own label, in cutmix the fraction of its own pixels; the rest is the weight
 * of row n − 1 − r.
 */
export function mixRows(
  data: Float32Array,
  indices: Int32Array,
  shape: BatchShape,
  { mixup, cutmix }: MixingOptions,
  { seed, epoch }: { readonly seed: number; readonly epoch: number },
): Float64Array {
  const n = indices.length;
  const { height, width, channels } = shape;
  const pixels = height * width * channels;
  const original = data.slice();
  const own = new Float64Array(n).fill(1);
  for (let row = 0; row < n; row++) {
    const partner = n - 1 - row;
    if (partner === row) continue;
    const draws = new Draws('mix', seed, epoch, indices[row]!);
    const cutting = draws.chance(0.5) ? cutmix > 0 : mixup === 0;
    const lambda = draws.beta(cutting ? cutmix : mixup);
    const to = row * pixels;
    const from = partner * pixels;
    if (!cutting) {
      for (let k = 0; k < pixels; k++) data[to + k] = lambda * original[to + k]! + (1 - lambda) * original[from + k]!;
      own[row] = lambda;
      continue;
    }
    const side = Math.sqrt(1 - lambda);
    const [top, bottom] = span(height, side, draws);
    const [left, right] = span(width, side, draws);
    for (let y = top; y < bottom; y++) {
      const begin = (y * width + left) * channels;
      data.set(original.subarray(from + begin, from + begin + (right - left) * channels), to + begin);
    }
    own[row] = 1 - ((bottom - top) * (right - left)) / (height * width);
  }
  return own;
}

/** First and one past the last of `part` of `extent` about a uniform centre, cut at the ends. */
function span(extent: number, part: number, draws: Draws): readonly [number, number] {
  const length = Math.trunc(extent * part);
  const start = draws.below(extent) - Math.floor(length / 2);
  return [Math.max(0, start), Math.max(0, Math.min(extent, start + length))];
}
