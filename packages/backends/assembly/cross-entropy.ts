import { firstLanes, laneSum, madd, storeFirst } from './arithmetic';
import { exponentialOfNegative, exponentialSums } from './exponential';
import { logarithm } from './logarithm';
import { scaledMaximum } from './softmax';

/** Σ e^(x − shift) of `count` values; each term goes to `out` too, where that is not 0. */
// @ts-ignore: decorators are AssemblyScript's
@inline
function exponentialSum(x: usize, out: usize, count: i32, shift: v128): f32 {
  const bulk = (<usize>(count & ~3)) << 2;
  const rest = count & 3;
  let sums = exponentialSums(x, out, bulk, f32x4.splat(1), f32x4.neg(shift));
  x += bulk;
  if (out != 0) out += bulk;
  if (rest > 0) {
    const value = exponentialOfNegative(f32x4.sub(v128.load(x), shift));
    if (out != 0) storeFirst(out, value, rest);
    sums = f32x4.add(sums, v128.and(value, firstLanes(rest)));
  }
  return laneSum(sums);
}

/** −log softmax of the rows `from` to `to` at their labels; NaN for a label out of range. */
export function crossEntropy(from: i32, to: i32, logits: usize, labels: usize, out: usize, classes: i32): void {
  const rowBytes = (<usize>classes) << 2;
  for (let row = from; row < to; row++) {
    const label = load<i32>(labels + ((<usize>row) << 2));
    const x = logits + <usize>row * rowBytes;
    let loss: f32 = NaN;
    if (<u32>label < <u32>classes) {
      const largest = scaledMaximum(x, classes, f32x4.splat(1));
      const sum = exponentialSum(x, 0, classes, f32x4.splat(largest));
      const logarithms = logarithm(f32x4.splat(sum));
      loss = f32x4.extract_lane(logarithms, 0) + (largest - load<f32>(x + ((<usize>label) << 2)));
    }
    store<f32>(out + ((<usize>row) << 2), loss);
  }
}

/** dy·(softmax − one-hot label) of the rows `from` to `to`; NaN rows for labels out of range. */
export function crossEntropyGradient(
  from: i32,
  to: i32,
  logits: usize,
  labels: usize,
  dy: usize,
  out: usize,
  classes: i32,
): void {
  const rowBytes = (<usize>classes) << 2;
  const bulk = (<usize>(classes & ~3)) << 2;
  const rest = classes & 3;
  for (let row = from; row < to; row++) {
    const label = load<i32>(labels + ((<usize>row) << 2));
    const x = logits + <usize>row * rowBytes;
    const y = out + <usize>row * rowBytes;
    let factor = f32x4.splat(NaN);
    let own: f32 = NaN;
    if (<u32>label < <u32>classes) {
      const largest = scaledMaximum(x, classes, f32x4.splat(1));
      const shift = f32x4.splat(largest);
      const at = (<usize>label) << 2;
      // softmax − 1 at the label, as minus the sum of the others: no cancellation when the label is nearly certain.
      const others =
        exponentialSum(x, y, label, shift) + exponentialSum(x + at + 4, y + at + 4, classes - label - 1, shift);
      const certain = f32x4.extract_lane(exponentialOfNegative(f32x4.splat(load<f32>(x + at) - largest)), 0);
      const scale = load<f32>(dy + ((<usize>row) << 2)) / (others + certain);
      factor = f32x4.splat(scale);
      own = -others * scale;
      store<f32>(y + at, 0);
    }
    for (let at: usize = 0; at < bulk; at += 16) v128.store(y + at, f32x4.mul(v128.load(y + at), factor));
    if (rest > 0) storeFirst(y + bulk, f32x4.mul(v128.load(y + bulk), factor), rest);
    if (<u32>label < <u32>classes) store<f32>(y + ((<usize>label) << 2), own);
  }
}
