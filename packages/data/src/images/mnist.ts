/** Mean and standard deviation of the training pixels on a scale from 0 to 1, as is customary. */
export const mnistNormalization = {
  mnist: { mean: 0.1307, standardDeviation: 0.3081 },
  /** H. Xiao, K. Rasul, R. Vollgraf, "Fashion-MNIST", arXiv:1708.07747. */
  'fashion-mnist': { mean: 0.286, standardDeviation: 0.353 },
} as const;
