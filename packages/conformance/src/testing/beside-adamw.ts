import { adamw, type NamedTensors, type Optimizer, parameterGroups } from '@lmd/core';
import type { OptimizerOptions } from '../optimizers/options.js';

/** An optimizer for matrices alone, with AdamW for the vectors of a target that has any. */
export function besideAdamw(create: (options: OptimizerOptions) => Optimizer) {
  return (options: OptimizerOptions): Optimizer => {
    const alone = create(options);
    const { learningRate = 0.03 } = options;
    const both = parameterGroups([
      { match: (name) => !name.startsWith('vector'), optimizer: alone },
      { match: '*', optimizer: adamw({ learningRate }) },
    ]);
    const of = (tensors: NamedTensors) =>
      Object.keys(tensors).some((name) => name.startsWith('vector')) ? both : alone;
    return {
      name: alone.name,
      samples: alone.samples,
      init: (ops, weights) => of(weights).init(ops, weights),
      draw: (ops, state, key) => of(state.tensors).draw(ops, state, key),
      update: (ops, state, passes, done) => of(state.tensors).update(ops, state, passes, done),
      weights: (ops, state, kind, key) => of(state.tensors).weights(ops, state, kind, key),
    };
  };
}
