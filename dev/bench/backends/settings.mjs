/**
 * How LMD updates in every benchmark of its kernels.
 *
 * @type {import('@lmd/core').LmdUpdateOptions}
 */
export const lmdOptions = {
  learningRate: 1e-3,
  beta1: 0.9,
  beta2: 0.99,
  regularization: 0.3,
  regularizer: 'logNormalPrior',
  noise: 0.05,
  gradientScaling: 'sample',
  useSign: true,
};
