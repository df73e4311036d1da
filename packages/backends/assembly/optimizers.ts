// Draws and updates of the optimizers, each one pass over the elements `from` (a multiple of `noiseBlock`) to `to` of
// its tensors. In whole vectors: a tensor's block has room for that.

import { noiseBlock, Regularizer } from '../src/cpu/wasm/numbers';
import { SampleEntry } from '../src/cpu/wasm/tables';
import { madd, signOf, touch } from './arithmetic';
import { exponential, exponentialsInPlace } from './exponential';
import { drawNormals } from './random';
import { GRADIENT_MINUS, GRADIENT_PLUS, SAMPLES_MINUS, SAMPLES_PLUS } from './workspace';

/** θ = exp(l + σ·e) of one half and one block, at `target`. */
function sampleHalf(
  target: usize,
  log: usize,
  noise: f32,
  size: i32,
  group: u32,
  stream: u32,
  step: u32,
  sample: u32,
  seedLow: u32,
  seedHigh: u32,
): void {
  const bytes = (<usize>size) << 2;
  store<i32>(target, touch(log, bytes));
  if (noise == 0) memory.fill(target, 0, (bytes + 31) & ~31);
  else drawNormals(target, size, group, stream, step, sample, seedLow, seedHigh);
  exponentialsInPlace(target, f32x4.splat(noise), log, bytes);
}

/**
 * w = exp(l⁺ + σ·e⁺) − exp(l⁻ + σ·e⁻), of the elements `from` (a multiple of 1024) to `to`; noise is drawn in blocks
 * that stay in the cache.
 */
export function lmdDraw(
  from: i32,
  to: i32,
  logPlus: usize,
  logMinus: usize,
  out: usize,
  noise: f32,
  stream: u32,
  step: u32,
  sample: u32,
  seedLow: u32,
  seedHigh: u32,
): void {
  for (let start = from; start < to; start += noiseBlock) {
    const size = min(noiseBlock, to - start);
    const bytes = (<usize>size) << 2;
    const offset = (<usize>start) << 2;
    const group = <u32>start >> 2;
    store<i32>(SAMPLES_MINUS, touch(out + offset, bytes));
    sampleHalf(SAMPLES_PLUS, logPlus + offset, noise, size, group, stream, step, sample, seedLow, seedHigh);
    sampleHalf(SAMPLES_MINUS, logMinus + offset, noise, size, group, ~stream, step, sample, seedLow, seedHigh);
    const target = out + offset;
    for (let at: usize = 0; at < bytes; at += 16) {
      v128.store(target + at, f32x4.sub(v128.load(SAMPLES_PLUS + at), v128.load(SAMPLES_MINUS + at)));
    }
  }
}

/** sums += share·θ·g, for one block. */
function accumulate(sums: usize, samples: usize, gradient: usize, bytes: usize, share: f32): void {
  const shares = f32x4.splat(share);
  for (let at: usize = 0; at < bytes; at += 16) {
    const term = f32x4.mul(f32x4.mul(v128.load(samples + at), v128.load(gradient + at)), shares);
    v128.store(sums + at, f32x4.add(v128.load(sums + at), term));
  }
}

/** R of the prior at log(m/m₀). */
// @ts-ignore: decorators are AssemblyScript's
@inline
function regularizerAt(regularizer: i32, logRatio: v128): v128 {
  if (regularizer == Regularizer.logNormalPrior) return logRatio;
  if (regularizer == Regularizer.powerPrior) return f32x4.splat(1);
  if (regularizer == Regularizer.exponentialPrior) return exponential(logRatio);
  return exponential(f32x4.add(logRatio, logRatio));
}

/** One half's momentum and logarithm of one block; `gradients` is G±. */
function updateHalf(
  log: usize,
  momentum: usize,
  gradients: usize,
  outLog: usize,
  outMomentum: usize,
  bytes: usize,
  sign: f32,
  learningRate: f32,
  beta1: f32,
  rest1: f32,
  beta2: f32,
  rest2: f32,
  regularization: f32,
  regularizer: i32,
  logPriorMedian: f32,
  useSign: bool,
): void {
  const keep1 = f32x4.splat(beta1);
  const add1 = f32x4.splat(rest1);
  const keep2 = f32x4.splat(beta2);
  const add2 = f32x4.splat(rest2);
  const signs = f32x4.splat(sign);
  const centre = f32x4.splat(logPriorMedian);
  const pulls = f32x4.splat(regularization);
  const rate = f32x4.splat(learningRate);
  for (let at: usize = 0; at < bytes; at += 16) {
    const v = v128.load(momentum + at);
    const g = v128.load(gradients + at);
    const temporary = f32x4.add(f32x4.mul(keep1, v), f32x4.mul(add1, g));
    if (outMomentum != 0) {
      v128.store(outMomentum + at, f32x4.add(f32x4.mul(keep2, v), f32x4.mul(add2, g)));
    }
    const l = v128.load(log + at);
    const step = f32x4.mul(useSign ? signOf(temporary) : temporary, signs);
    const pull = regularizerAt(regularizer, f32x4.sub(l, centre));
    v128.store(outLog + at, f32x4.sub(l, f32x4.mul(rate, madd(pulls, pull, step))));
  }
}

/**
 * One step of LMD for the elements `from` (a multiple of 1024) to `to` of one weight tensor; see `host-kernels/lmd.ts`.
 *
 * @param table a `SampleEntry` for each sample
 * @param momentumMinus 0 where both halves share one momentum, and gradients are not scaled by the sample
 * @param share 1 over the number of samples
 * @param regularizer a `Regularizer`
 */
export function lmdUpdate(
  from: i32,
  to: i32,
  logPlus: usize,
  logMinus: usize,
  momentumPlus: usize,
  momentumMinus: usize,
  outLogPlus: usize,
  outLogMinus: usize,
  outMomentumPlus: usize,
  outMomentumMinus: usize,
  table: usize,
  samples: i32,
  share: f32,
  noise: f32,
  learningRate: f32,
  beta1: f32,
  rest1: f32,
  beta2: f32,
  rest2: f32,
  regularization: f32,
  regularizer: i32,
  logPriorMedian: f32,
  useSign: bool,
): void {
  const scaled = momentumMinus != 0;
  for (let start = from; start < to; start += noiseBlock) {
    const size = min(noiseBlock, to - start);
    const bytes = (<usize>((size + 3) & ~3)) << 2;
    const offset = (<usize>start) << 2;
    const group = <u32>start >> 2;
    memory.fill(GRADIENT_PLUS, 0, bytes);
    memory.fill(GRADIENT_MINUS, 0, bytes);
    for (let s = 0; s < samples; s++) {
      const entry = table + <usize>s * (4 * SampleEntry.words);
      const gradient = <usize>load<u32>(entry, 4 * SampleEntry.gradient) + offset;
      store<i32>(SAMPLES_MINUS, touch(gradient, bytes));
      if (!scaled) {
        for (let at: usize = 0; at < bytes; at += 16) {
          const term = f32x4.mul(v128.load(gradient + at), f32x4.splat(share));
          v128.store(GRADIENT_PLUS + at, f32x4.add(v128.load(GRADIENT_PLUS + at), term));
        }
        continue;
      }
      const stream = load<u32>(entry, 4 * SampleEntry.stream);
      const step = load<u32>(entry, 4 * SampleEntry.step);
      const sample = load<u32>(entry, 4 * SampleEntry.sample);
      const seedLow = load<u32>(entry, 4 * SampleEntry.seedLow);
      const seedHigh = load<u32>(entry, 4 * SampleEntry.seedHigh);
      sampleHalf(SAMPLES_PLUS, logPlus + offset, noise, size, group, stream, step, sample, seedLow, seedHigh);
      accumulate(GRADIENT_PLUS, SAMPLES_PLUS, gradient, bytes, share);
      sampleHalf(SAMPLES_MINUS, logMinus + offset, noise, size, group, ~stream, step, sample, seedLow, seedHigh);
      accumulate(GRADIENT_MINUS, SAMPLES_MINUS, gradient, bytes, -share);
    }
    updateHalf(
      logPlus + offset,
      momentumPlus + offset,
      GRADIENT_PLUS,
      outLogPlus + offset,
      outMomentumPlus + offset,
      bytes,
      1,
      learningRate,
      beta1,
      rest1,
      beta2,
      rest2,
      regularization,
      regularizer,
      logPriorMedian,
      useSign,
    );
    updateHalf(
      logMinus + offset,
      scaled ? momentumMinus + offset : momentumPlus + offset,
      scaled ? GRADIENT_MINUS : GRADIENT_PLUS,
      outLogMinus + offset,
      scaled ? outMomentumMinus + offset : 0,
      bytes,
      scaled ? 1 : -1,
      learningRate,
      beta1,
      rest1,
      beta2,
      rest2,
      regularization,
      regularizer,
      logPriorMedian,
      useSign,
    );
  }
}

/**
 * One AdamW step (Loshchilov & Hutter, arXiv:1711.05101) of the elements `from` (a multiple of 16) to `to`; see
 * `host-kernels/adamw.ts` for the factors.
 */
export function adamwUpdate(
  from: i32,
  to: i32,
  weights: usize,
  first: usize,
  second: usize,
  gradient: usize,
  outWeights: usize,
  outFirst: usize,
  outSecond: usize,
  beta1: f32,
  rest1: f32,
  beta2: f32,
  rest2: f32,
  rate: f32,
  secondScale: f32,
  epsilon: f32,
  kept: f32,
): void {
  const keep1 = f32x4.splat(beta1);
  const add1 = f32x4.splat(rest1);
  const keep2 = f32x4.splat(beta2);
  const add2 = f32x4.splat(rest2);
  const scale2 = f32x4.splat(secondScale);
  const least = f32x4.splat(epsilon);
  const rates = f32x4.splat(rate);
  const keep = f32x4.splat(kept);
  const end = (<usize>to) << 2;
  for (let at = (<usize>from) << 2; at < end; at += 16) {
    const g = v128.load(gradient + at);
    const m = madd(keep1, v128.load(first + at), f32x4.mul(add1, g));
    const squared = f32x4.mul(f32x4.mul(add2, g), g);
    const v = madd(keep2, v128.load(second + at), squared);
    v128.store(outFirst + at, m);
    v128.store(outSecond + at, v);
    const deviation = f32x4.add(f32x4.sqrt(f32x4.mul(v, scale2)), least);
    const move = f32x4.div(f32x4.mul(rates, m), deviation);
    v128.store(outWeights + at, f32x4.sub(f32x4.mul(keep, v128.load(weights + at)), move));
  }
}
