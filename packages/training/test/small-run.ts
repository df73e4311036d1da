import { createReferenceBackend } from '@lmd/backends/reference';
import { adamw, createOperations, type Optimizer } from '@lmd/core';
import { type Checkpoint, type Plugin, readTensors, type TrainOptions, train } from '../src/index.js';
import { f32, moons, tinyMlp } from './tiny-mlp.js';

/** Options of a small run, with a backend of its own. */
export const base = () => ({
  backend: createReferenceBackend(),
  model: tinyMlp(2, 8, 2, 0.1),
  optimizer: adamw({ learningRate: 0.01 }),
  precision: f32,
  data: { train: moons(40) },
  seed: 1,
  steps: 6,
  batchSize: 8,
});

/** What a promise is rejected with. */
export const rejection = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'it did not throw',
    (error) => error,
  );

/** Keeps a snapshot of the last settled step. */
export function keepSnapshots(): Plugin & { readonly last: Checkpoint } {
  let last: Checkpoint | undefined;
  return {
    name: 'keepSnapshots',
    async settle(_, run) {
      last = await run.snapshot();
    },
    get last() {
      return last!;
    },
  };
}

/** Trains and gives all state and weights as bytes. */
export async function outcome(options: TrainOptions) {
  const ops = options.ops ?? createOperations(options.backend!);
  const result = await train({ ...options, ops, backend: undefined });
  const tensors = { ...(await readTensors(ops, result.state.tensors)), ...(await readTensors(ops, result.weights)) };
  result.dispose();
  return { result, tensors };
}

/** Follows the signs of gradients, so that no size of them can spoil the weights. */
export function signDescent(): Optimizer {
  const same = (ops: Parameters<Optimizer['draw']>[0], state: Parameters<Optimizer['draw']>[1]) =>
    Object.fromEntries(Object.entries(state.tensors).map(([name, x]) => [name.slice(0, -2), ops.reshape(x, x.shape)]));
  return {
    name: 'signDescent',
    samples: 1,
    init: async (ops, weights) => ({
      step: 0,
      tensors: Object.fromEntries(Object.entries(weights).map(([name, x]) => [`${name}/w`, ops.reshape(x, x.shape)])),
    }),
    draw: same,
    weights: same,
    update: (ops, state, [pass]) => ({
      step: state.step + 1,
      tensors: Object.fromEntries(
        Object.entries(state.tensors).map(([name, x]) => [
          name,
          ops.subtract(x, ops.multiply(ops.sign(pass!.gradients[name.slice(0, -2)]!), 0.01)),
        ]),
      ),
    }),
  };
}
