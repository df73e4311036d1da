import { fillRandomNormal, fillRandomUniform, streamOf } from '@lmd/core';
import type { MultiplicativeScore, Process } from '../process.js';

/** Log-normal components: log x₀ ~ N(mean, deviation²·I), chosen with probability `share`. */
export type Mixture = readonly {
  readonly share: number;
  readonly mean: readonly number[];
  readonly deviation: number;
}[];

/** Three components of "pictures" of 2 × 2 pixels, too far apart to be one log-normal distribution. */
export const threeModes: Mixture = [
  { share: 0.5, mean: [0, 0, 0.7, 0.7], deviation: 0.12 },
  { share: 0.3, mean: [0.7, 0.7, 0, 0], deviation: 0.12 },
  { share: 0.2, mean: [0.7, 0, 0.7, 0], deviation: 0.06 },
];

/** Independent draws of x₀, row-major [count, values]. */
export function drawMixture(mixture: Mixture, count: number, seed: number): Float32Array {
  const key = { seed, step: 0, sample: 0 };
  const values = mixture[0]!.mean.length;
  const uniform = new Float32Array(count);
  const normal = new Float32Array(count * values);
  fillRandomUniform(uniform, { ...key, stream: streamOf('component') });
  fillRandomNormal(normal, { ...key, stream: streamOf('value') });
  return normal.map((z, at) => {
    const { mean, deviation } = componentAt(mixture, uniform[Math.floor(at / values)]!);
    return Math.exp(mean[at % values]! + deviation * z);
  });
}

function componentAt(mixture: Mixture, quantile: number) {
  let below = 0;
  for (const component of mixture) {
    below += component.share;
    if (quantile < below) return component;
  }
  return mixture.at(-1)!;
}

/**
 * The exact x∘s of the mixture under the process. log x_t is a mixture of normals with means m_k + (μ − σ²/2)t and
 * variances v_k = s_k² + σ²t; with r_k, the probability of component k given x_t,
 * x∘s = Σ_k r_k·(m_k + (μ − σ²/2)t − log x_t)/v_k − 1, where −1 is that of the Jacobian of the logarithm.
 */
export function mixtureScore(mixture: Mixture, { drift, volatility }: Process): MultiplicativeScore {
  return (ops, x, t) =>
    ops.scope(() => {
      const y = ops.subtract(ops.log(x), ops.multiply(t, drift - volatility ** 2 / 2));
      const components = mixture.map(({ share, mean, deviation }) => {
        const variance = ops.add(ops.multiply(t, volatility ** 2), deviation ** 2);
        const difference = ops.subtract(ops.fromData([...mean], x.shape.slice(1)), y);
        const pull = ops.divide(difference, variance);
        const exponent = ops.add(ops.multiply(difference, pull), ops.log(variance));
        return {
          pull,
          logit: ops.subtract(Math.log(share), ops.multiply(ops.sum(exponent, { axes: [1, 2, 3] }), 0.5)),
        };
      });
      const logits = components.map(({ logit }) => ops.reshape(logit, [-1, 1]));
      const probabilities = ops.softmax(ops.concatenate(logits, 1));
      const weighted = components.map(({ pull }, k) => {
        const probability = ops.slice(probabilities, [0, k], [x.shape[0]!, 1]);
        return ops.multiply(pull, ops.reshape(probability, [-1, 1, 1, 1]));
      });
      const sum = weighted.reduce((total, part) => ops.add(total, part));
      return ops.subtract(sum, 1);
    });
}
