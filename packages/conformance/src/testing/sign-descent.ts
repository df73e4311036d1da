import { LmdError, type Optimizer, type Schedule, type Tensor } from '@lmd/core';

export interface SignDescentOptions {
  readonly learningRate?: number | Schedule;
  readonly shrinkage?: number;
}

/**
 * An optimizer as a user would write it, with only types and the error of `@lmd/core`: w ← (1 − a·shrinkage)·w −
 * a·sign(g). The suite is tried on it, and on broken copies of it.
 */
export function signDescent(options: SignDescentOptions = {}): Optimizer {
  for (const option of Object.keys(options)) {
    if (option !== 'learningRate' && option !== 'shrinkage') throw refusal(option, 'is unknown');
  }
  const { learningRate = 0.01, shrinkage = 0 } = options;
  if (!(shrinkage >= 0 && shrinkage < 1)) throw refusal('shrinkage', `is ${shrinkage}`);
  const rateAt = (step: number) => {
    const rate = typeof learningRate === 'function' ? learningRate(step) : learningRate;
    if (!(typeof rate === 'number' && rate >= 0 && rate < Infinity)) throw refusal('learningRate', `is ${rate}`);
    return rate;
  };
  if (typeof learningRate !== 'function') rateAt(0);

  const copies = (ops: Parameters<Optimizer['draw']>[0], state: Parameters<Optimizer['draw']>[1]) =>
    Object.fromEntries(
      Object.entries(state.tensors).map(([name, weight]) => [
        name.replace(/\/weight$/, ''),
        ops.reshape(weight, weight.shape),
      ]),
    );

  return {
    name: 'signDescent',
    samples: 1,
    async init(ops, weights) {
      const tensors: Record<string, Tensor> = {};
      for (const [name, weight] of Object.entries(weights)) {
        tensors[`${name}/weight`] = ops.reshape(weight, weight.shape);
      }
      return { step: 0, tensors };
    },
    draw: copies,
    weights: copies,
    update(ops, state, passes) {
      const [pass] = passes;
      if (pass === undefined) throw refusal('passes', 'is empty: a step has one pass');
      const rate = rateAt(state.step);
      for (const name of Object.keys(pass.gradients)) {
        if (state.tensors[`${name}/weight`] === undefined) throw refusal(name, 'has a gradient and no weight');
      }
      return ops.scope(() => {
        const tensors: Record<string, Tensor> = {};
        for (const [name, weight] of Object.entries(state.tensors)) {
          const gradient = pass.gradients[name.replace(/\/weight$/, '')];
          if (gradient === undefined || gradient.dtype !== 'f32' || `${gradient.shape}` !== `${weight.shape}`) {
            throw refusal(name, 'has no gradient that fits');
          }
          const kept = ops.multiply(weight, 1 - rate * shrinkage);
          tensors[name] = ops.subtract(kept, ops.multiply(ops.sign(gradient), rate));
        }
        return { step: state.step + 1, tensors };
      });
    },
  };
}

function refusal(subject: string, problem: string): LmdError {
  return new LmdError('INVALID_ARGUMENT', `signDescent: ${subject} ${problem}.`, { subject });
}
