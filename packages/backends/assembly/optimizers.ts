// Draws and updates of the optimizers, each one pass over the elements `from` (a multiple of `BLOCK`) to `to` of its tensors. In whole
// vectors: a tensor's block has room for that.

import { madd, signOf } from './arithmetic';
import { normalExponential } from './exponential';
import { drawNormals } from './random';
import { BLOCK, GRADIENT_MINUS, GRADIENT_PLUS, NORMALS } from './workspace';

/** w = exp(l⁺ + σ·e⁺) − exp(l⁻ + σ·e⁻); noise is drawn in blocks that stay in the cache. */
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
  const deviation = f32x4.splat(noise);
  for (let start = from; start < to; start += BLOCK) {
    const size = min(BLOCK, to - start);
    const bytes = <usize>size << 2;
    const offset = <usize>start << 2;
    const group = <u32>start >> 2;
    drawOrClear(noise, size, group, stream, step, sample, seedLow, seedHigh);
    for (let at: usize = 0; at < bytes; at += 16) {
      const l = v128.load(logPlus + offset + at);
      v128.store(GRADIENT_PLUS + at, normalExponential(madd(deviation, v128.load(NORMALS + at), l)));
    }
    drawOrClear(noise, size, group, ~stream, step, sample, seedLow, seedHigh);
    for (let at: usize = 0; at < bytes; at += 16) {
      const l = v128.load(logMinus + offset + at);
      const minus = normalExponential(madd(deviation, v128.load(NORMALS + at), l));
      v128.store(out + offset + at, f32x4.sub(v128.load(GRADIENT_PLUS + at), minus));
    }
  }
}

function drawOrClear(
  noise: f32,
  size: i32,
  group: u32,
  stream: u32,
  step: u32,
  sample: u32,
  seedLow: u32,
  seedHigh: u32,
): void {
  if (noise == 0) memory.fill(NORMALS, 0, <usize>((size + 3) & ~3) << 2);
  else drawNormals(NORMALS, size, group, stream, step, sample, seedLow, seedHigh);
}

/** sums += share·g·exp(l + σ·e), for one block. */
function accumulate(sums: usize, log: usize, gradient: usize, bytes: usize, noise: f32, share: f32): void {
  const deviation = f32x4.splat(noise);
  const shares = f32x4.splat(share);
  for (let at: usize = 0; at < bytes; at += 16) {
    const size = normalExponential(madd(deviation, v128.load(NORMALS + at), v128.load(log + at)));
    const term = f32x4.mul(f32x4.mul(size, v128.load(gradient + at)), shares);
    v128.store(sums + at, f32x4.add(v128.load(sums + at), term));
  }
}

const LOG_NORMAL: i32 = 0;
const POWER: i32 = 1;
const EXPONENTIAL: i32 = 2;

/** R of the prior at log(m/m₀). */
// @ts-ignore: decorators are AssemblyScript's
@inline
function regularizerAt(regularizer: i32, logRatio: v128): v128 {
  if (regularizer == LOG_NORMAL) return logRatio;
  if (regularizer == POWER) return f32x4.splat(1);
  if (regularizer == EXPONENTIAL) return normalExponential(logRatio);
  return normalExponential(f32x4.add(logRatio, logRatio));
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
  for (let at: usize = 0; at < bytes; at += 16) {
    const v = v128.load(momentum + at);
    const g = v128.load(gradients + at);
    const temporary = f32x4.add(f32x4.mul(f32x4.splat(beta1), v), f32x4.mul(f32x4.splat(rest1), g));
    if (outMomentum != 0) {
      v128.store(outMomentum + at, f32x4.add(f32x4.mul(f32x4.splat(beta2), v), f32x4.mul(f32x4.splat(rest2), g)));
    }
    const l = v128.load(log + at);
    const step = f32x4.mul(useSign ? signOf(temporary) : temporary, f32x4.splat(sign));
    const pull = regularizerAt(regularizer, f32x4.sub(l, f32x4.splat(logPriorMedian)));
    const move = madd(f32x4.splat(regularization), pull, step);
    v128.store(outLog + at, f32x4.sub(l, f32x4.mul(f32x4.splat(learningRate), move)));
  }
}

/**
 * One step of LMD for one weight tensor; see `host-kernels/lmd.ts`.
 *
 * @param table for each sample the address of its gradient and its key: stream, step, sample, seedLow, seedHigh
 * @param momentumMinus 0 where both halves share one momentum, and gradients are not scaled by the sample
 * @param share 1 over the number of samples
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
  for (let start = from; start < to; start += BLOCK) {
    const size = min(BLOCK, to - start);
    const bytes = <usize>((size + 3) & ~3) << 2;
    const offset = <usize>start << 2;
    const group = <u32>start >> 2;
    memory.fill(GRADIENT_PLUS, 0, bytes);
    memory.fill(GRADIENT_MINUS, 0, bytes);
    for (let s = 0; s < samples; s++) {
      const entry = table + <usize>s * 24;
      const gradient = <usize>load<u32>(entry) + offset;
      if (!scaled) {
        for (let at: usize = 0; at < bytes; at += 16) {
          const term = f32x4.mul(v128.load(gradient + at), f32x4.splat(share));
          v128.store(GRADIENT_PLUS + at, f32x4.add(v128.load(GRADIENT_PLUS + at), term));
        }
        continue;
      }
      const stream = load<u32>(entry, 4);
      const step = load<u32>(entry, 8);
      const sample = load<u32>(entry, 12);
      const seedLow = load<u32>(entry, 16);
      const seedHigh = load<u32>(entry, 20);
      drawOrClear(noise, size, group, stream, step, sample, seedLow, seedHigh);
      accumulate(GRADIENT_PLUS, logPlus + offset, gradient, bytes, noise, share);
      drawOrClear(noise, size, group, ~stream, step, sample, seedLow, seedHigh);
      accumulate(GRADIENT_MINUS, logMinus + offset, gradient, bytes, noise, -share);
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

/** One AdamW step (Loshchilov & Hutter, arXiv:1711.05101); see `host-kernels/adamw.ts` for the factors. */
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
  const end = <usize>to << 2;
  for (let at = <usize>from << 2; at < end; at += 16) {
    const g = v128.load(gradient + at);
    const m = madd(f32x4.splat(beta1), v128.load(first + at), f32x4.mul(f32x4.splat(rest1), g));
    const squared = f32x4.mul(f32x4.mul(f32x4.splat(rest2), g), g);
    const v = madd(f32x4.splat(beta2), v128.load(second + at), squared);
    v128.store(outFirst + at, m);
    v128.store(outSecond + at, v);
    const deviation = f32x4.add(f32x4.sqrt(f32x4.mul(v, f32x4.splat(secondScale))), f32x4.splat(epsilon));
    const move = f32x4.div(f32x4.mul(f32x4.splat(rate), m), deviation);
    v128.store(outWeights + at, f32x4.sub(f32x4.mul(f32x4.splat(kept), v128.load(weights + at)), move));
  }
}
