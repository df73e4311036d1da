import { createReferenceBackend } from '@lmd/backends/reference';
import { adamw, createOperations, type Model, type Optimizer, type Precision } from '@lmd/core';
import {
  arrayDataset,
  type Checkpoint,
  type Dataset,
  type NamedHostTensors,
  type Plugin,
  readTensors,
  type StepExchange,
  type TrainOptions,
  type TrainResult,
  train,
} from '@lmd/training';

const precision: Precision = {
  forward: { weights: 'f32', activations: 'f32' },
  backward: { weights: 'f32', activations: 'f32', gradients: 'f32' },
};

const parameters = {
  'hidden.weight': { shape: [2, 8] },
  'hidden.bias': { shape: [8] },
  'head.weight': { shape: [8, 2] },
};

/** Two layers, with dropout, so that the noise of each micro-batch matters. */
export const model: Model = {
  name: 'two-layers',
  parameters,
  initialize: (ops, seed) =>
    ops.scope(() =>
      Object.fromEntries(
        Object.entries(parameters).map(([name, { shape }], stream) => [
          name,
          ops.multiply(ops.randomNormal(shape, { seed, stream, step: 0, sample: 0 }), 0.5),
        ]),
      ),
    ),
  forward(ops, weights, x, { training, key }) {
    let h = ops.tanh(ops.add(ops.matmul(x, weights['hidden.weight']!), weights['hidden.bias']!));
    if (training) {
      const kept = ops.less(ops.randomUniform(h.shape, { ...key, stream: 99 }), 0.9);
      h = ops.where(kept, ops.multiply(h, 1 / 0.9), 0);
    }
    return ops.matmul(h, weights['head.weight']!);
  },
};

/** Two interleaved half circles. The labels of some examples may be ignored. */
export function moons(size: number, isIgnored: (index: number) => boolean = () => false): Dataset {
  const inputs = new Float32Array(size * 2);
  const labels = new Int32Array(size);
  for (let index = 0; index < size; index++) {
    const label = index % 2;
    const angle = (Math.PI * index) / size;
    inputs.set(
      label === 0 ? [Math.cos(angle), Math.sin(angle)] : [1 - Math.cos(angle), 0.5 - Math.sin(angle)],
      2 * index,
    );
    labels[index] = label;
  }
  const dataset = arrayDataset({ name: 'moons', inputs, inputShape: [2], labels, classes: 2 });
  return {
    ...dataset,
    async batch(indices) {
      const { labels, ...batch } = await dataset.batch(indices);
      const data = labels.data.map((label, at) => (isIgnored(indices[at]!) ? -100 : label));
      return { ...batch, labels: { ...labels, data } };
    },
  };
}

export const base = () => ({
  backend: createReferenceBackend(),
  model,
  optimizer: adamw({ learningRate: 0.02 }) as Optimizer,
  precision,
  data: { train: moons(48) },
  seed: 1,
  steps: 6,
  batchSize: 8,
});

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

export interface Outcome {
  readonly result: TrainResult;
  readonly state: NamedHostTensors;
  readonly weights: NamedHostTensors;
}

/** Trains, reads state and weights, and checks that nothing else was left on the backend. */
export async function outcome(options: TrainOptions): Promise<Outcome> {
  const backend = options.backend!;
  const ops = createOperations(backend);
  const result = await train({ ...options, ops, backend: undefined });
  const [state, weights] = [await readTensors(ops, result.state.tensors), await readTensors(ops, result.weights)];
  result.dispose();
  const { tensors } = backend.memory();
  if (tensors !== 0) throw new Error(`${tensors} tensors are left on the backend.`);
  return { result, state, weights };
}

/** Trains with several workers at once, each with a backend of its own. */
export function outcomes(
  workers: number,
  exchange: (rank: number) => StepExchange,
  options: (rank: number) => Partial<TrainOptions> = () => ({}),
): Promise<Outcome[]> {
  return Promise.all(
    Array.from({ length: workers }, (_, rank) =>
      outcome({ ...base(), ...options(rank), exchange: exchange(rank) } as TrainOptions),
    ),
  );
}
