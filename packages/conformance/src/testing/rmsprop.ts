import {
  freshHandle,
  meanGradient,
  movingAverage,
  type Optimizer,
  type OptionsOf,
  option,
  perWeightRule,
  resolveOptions,
  storedWeight,
} from '@lmd/core';

const optionTable = {
  learningRate: option.schedule({ atLeast: 0, default: 0.01, describe: 'Learning rate.' }),
  decay: option.number({ atLeast: 0, below: 1, default: 0.9, describe: 'Decay of the mean squared gradient.' }),
};

/** RMSProp from the helpers that core exports for authors of optimizers, as its README shows. */
export function rmsprop(options: OptionsOf<typeof optionTable> = {}): Optimizer {
  const { learningRate, decay } = resolveOptions('rmsprop', optionTable, options);
  return perWeightRule({
    name: 'rmsprop',
    vectors: ['weight', 'square'],
    initial: (ops, weight) => ({ weight: freshHandle(ops, weight), square: ops.zeros(weight.shape) }),
    ...storedWeight,
    update(step) {
      const rate = learningRate(step);
      return (ops, { weight, square }, passes) => {
        const gradient = meanGradient(ops, passes);
        const next = movingAverage(ops, square, ops.multiply(gradient, gradient), decay);
        const move = ops.divide(gradient, ops.add(ops.sqrt(next), 1e-8));
        return { weight: ops.subtract(weight, ops.multiply(move, rate)), square: next };
      };
    },
  });
}
