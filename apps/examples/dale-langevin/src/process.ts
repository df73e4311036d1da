import type { Operations, Tensor, TensorLike } from '@lmd/core';

/** Geometric Brownian motion dx = μx dt + σx dB, for 0 ≤ t ≤ duration. */
export interface Process {
  readonly drift: number;
  readonly volatility: number;
  readonly duration: number;
  /** Training draws times duration·u^power for uniform u in (0, 1]; the samplers' times are those of even u. */
  readonly power: number;
  /** Whether the loss of each picture is divided by the variance of log x_t. */
  readonly weighted: boolean;
}

/** The paper's values: σ = 0.8, T = 1, and μ = σ²/2, with which log x has no drift. */
export const paperProcess: Process = { drift: 0.32, volatility: 0.8, duration: 1, power: 1, weighted: false };

/**
 * Longer, with noise of 1.2 in log x at the end: white is at log 2 = 0.69, so that at the paper's T = 1, with 0.8,
 * digits are still visible in x_T. Noise levels σ√t are even, and weights keep the highest from dominating gradients.
 */
export const longProcess: Process = { ...paperProcess, duration: 2.25, power: 2, weighted: true };

/**
 * x∘s(x, t): the score s = ∂ log p_t(x)/∂x times x, elementwise, for positive `x` [batch, height, width, 1] at the
 * times `t` [batch, 1, 1, 1]. The loss and the samplers need only this product, which is independent of the scale of x.
 */
export type MultiplicativeScore = (ops: Operations, x: Tensor, t: Tensor) => Tensor;

/** The solution of the forward equation: x_t = x₀·exp((μ − σ²/2)t + σ√t·ε), for standard normal `noise` ε. */
export function addNoise(ops: Operations, process: Process, x0: Tensor, t: Tensor, noise: Tensor): Tensor {
  const { drift, volatility } = process;
  return ops.scope(() => {
    const diffusion = ops.multiply(ops.multiply(ops.sqrt(t), volatility), noise);
    return ops.multiply(x0, ops.exp(ops.add(ops.multiply(t, drift - volatility ** 2 / 2), diffusion)));
  });
}

/**
 * Multiplicative denoising score matching: the mean of (σ²t·(x_t∘s) + log(x_t/x₀) − μt + 1.5σ²t)², a scalar. The term
 * in brackets is 0 if s is the score of p(x_t | x₀), a log-normal: −(1 + (log(x_t/x₀) − (μ − σ²/2)t)/σ²t)/x_t. The loss
 * is least where the term's mean over x₀ given x_t is 0, and that is where s is the score of p_t.
 *
 * @param weights of the pictures, [batch, 1, 1, 1]: any positive function of t leaves the minimum where it is.
 */
export function scoreMatchingLoss(
  ops: Operations,
  { drift, volatility }: Process,
  score: MultiplicativeScore,
  { x0, xt, t }: { readonly x0: Tensor; readonly xt: Tensor; readonly t: Tensor },
  weights: TensorLike = 1,
): Tensor {
  return ops.scope(() => {
    const scaled = ops.multiply(ops.multiply(t, volatility ** 2), score(ops, xt, t));
    const logRatio = ops.log(ops.divide(xt, x0));
    const residual = ops.add(ops.add(scaled, logRatio), ops.multiply(t, 1.5 * volatility ** 2 - drift));
    return ops.mean(ops.multiply(ops.multiply(residual, residual), weights));
  });
}
