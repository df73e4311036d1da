import { valueAndGradients } from '@lmd/autograd';
import {
  adamw,
  type EagerOperations,
  lmd,
  lmdLogMedians,
  lmdWeightNames,
  type Optimizer,
  type OptimizerState,
  parameterGroups,
  type Tensor,
} from '@lmd/core';
import { lmdParameter, precisionPreset, vit } from '@lmd/models';
import { classes, type GlyphBatch, imageSize } from './glyphs.js';
import { histogramOf, type LogHistogram } from './histogram.js';

export interface TrainerSettings {
  readonly optimizer: 'lmd' | 'adamw';
  /** Format of the operands of every matrix product in the forward pass, a name that `precisionPreset` takes. */
  readonly format: string;
  /** Standard deviation of the noise in log θ, of LMD alone. */
  readonly noise: number;
  readonly seed: number;
}

export interface Trainer {
  /** One step on a batch. Gives its loss in nats. */
  train(batch: GlyphBatch): Promise<number>;
  /** The share of a batch that the mean of the weights classifies correctly. */
  accuracy(batch: GlyphBatch): Promise<number>;
  /** The magnitudes of the weights of all matrices; of LMD, the medians m⁺ and m⁻ of their halves. */
  magnitudes(): Promise<LogHistogram>;
  /** Frees the weights. */
  dispose(): void;
}

const model = vit({
  imageSize,
  channels: 1,
  classes,
  patchSize: 4,
  width: 32,
  depth: 2,
  heads: 2,
  pooling: 'mean',
});

/** LMD trains matrices and embeddings; in its run AdamW trains what is initialized to constants. */
function optimizerOf({ optimizer, noise }: TrainerSettings): Optimizer {
  if (optimizer === 'adamw') return adamw({ learningRate: 0.003, weightDecay: 0.05 });
  return parameterGroups([
    { match: lmdParameter, optimizer: lmd({ learningRate: 0.02, noise, regularization: 0.2 }) },
    { match: '*', optimizer: adamw({ learningRate: 0.003 }) },
  ]);
}

/** A small Vision Transformer in training, a step at a time, on the operations of one backend. */
export async function createTrainer(ops: EagerOperations, settings: TrainerSettings): Promise<Trainer> {
  const optimizer = optimizerOf(settings);
  const precision = precisionPreset(settings.format);
  const initial = model.initialize(ops, settings.seed);
  let state: OptimizerState = await optimizer.init(ops, initial);
  ops.dispose(initial);
  let step = 0;
  const inputOf = ({ images, labels }: GlyphBatch) => ops.fromData(images, [labels.length, imageSize, imageSize, 1]);
  return {
    async train(batch) {
      const key = { seed: settings.seed, step, sample: 0 };
      const inputs = inputOf(batch);
      const labels = ops.fromData(batch.labels);
      const weights = optimizer.draw(ops, state, key);
      const { value, gradients } = valueAndGradients(ops, weights, (recorded, drawn) => {
        const logits = model.forward(recorded, drawn, inputs, { training: true, precision, key });
        return recorded.mean(recorded.crossEntropy(logits, labels));
      });
      const next = optimizer.update(ops, state, [{ key, gradients }]);
      const [loss] = await ops.read(value);
      ops.dispose([inputs, labels, value, ...[weights, gradients, state.tensors].flatMap(Object.values)]);
      state = next;
      step += 1;
      return loss!;
    },
    async accuracy(batch) {
      const weights = optimizer.weights(ops, state, 'mean');
      const inputs = inputOf(batch);
      const logits = ops.scope(() =>
        model.forward(ops, weights, inputs, {
          training: false,
          precision,
          key: { seed: settings.seed, step, sample: 0 },
        }),
      );
      const values = await ops.read(logits);
      ops.dispose([inputs, logits, ...Object.values(weights)]);
      const isRight = (label: number, n: number) => {
        const row = values.slice(n * classes, (n + 1) * classes);
        return row.indexOf(Math.max(...row)) === label;
      };
      return batch.labels.filter(isRight).length / batch.labels.length;
    },
    async magnitudes() {
      const logs = ops.scope(() =>
        lmdWeightNames(state).length > 0 ? logMedians(ops, state) : logMagnitudes(ops, optimizer, state),
      );
      const values = await Promise.all(logs.map((one) => ops.read(one)));
      ops.dispose(logs);
      return histogramOf(values as Float32Array[]);
    },
    dispose: () => ops.dispose(Object.values(state.tensors)),
  };
}

function logMedians(ops: EagerOperations, state: OptimizerState): Tensor[] {
  return lmdWeightNames(state).flatMap((name) => {
    const { logPlus, logMinus } = lmdLogMedians(ops, state, name);
    return [logPlus, logMinus];
  });
}

function logMagnitudes(ops: EagerOperations, optimizer: Optimizer, state: OptimizerState): Tensor[] {
  return Object.entries(optimizer.weights(ops, state, 'median'))
    .filter(([name, weight]) => lmdParameter(name, weight.shape))
    .map(([, weight]) => ops.log(ops.maximum(weight, ops.negate(weight))));
}
