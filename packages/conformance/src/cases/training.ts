import { valueAndGradients } from '@lmd/autograd';
import {
  adamw,
  type EagerOperations,
  lmd,
  type Model,
  type NamedTensors,
  type Operations,
  type OptimizerState,
  type Precision,
  parameterGroups,
  type Tensor,
} from '@lmd/core';
import { fullPrecision, lmdParameter, precisionPreset, vit } from '@lmd/models';
import type { Case, CaseGroup, Context } from '../case.js';
import { oracleOperations } from '../oracle/operations.js';
import { floats, integers, result, type Values } from '../values.js';

const classes = 4;

const model: Model = vit({
  imageSize: 8,
  channels: 1,
  patchSize: 4,
  width: 16,
  depth: 2,
  heads: 2,
  classes,
  pooling: 'mean',
});

interface Examples {
  readonly images: Values;
  readonly labels: Values;
}

/** Images whose class is the bright quarter, and noise: easy enough that ten steps show progress. */
function examples({ random }: Context, batch: number): Examples {
  const labels = integers([batch], (i) => i % classes);
  const images = floats([batch, 8, 8, 1], (i) => {
    const [image, row, column] = [Math.floor(i / 64), Math.floor((i % 64) / 8), i % 8];
    const quarter = 2 * Math.floor(row / 4) + Math.floor(column / 4);
    return (quarter === image % classes ? 1.5 : -0.5) + 0.2 * random.normal();
  });
  return { images, labels };
}

function lossOf(
  ops: Operations,
  weights: NamedTensors,
  images: Tensor,
  labels: Tensor,
  precision: Precision,
  step: number,
): Tensor {
  const context = { training: true, precision, key: { seed: 1, step, sample: 0 } };
  return ops.mean(ops.crossEntropy(model.forward(ops, weights, images, context), labels));
}

/** The weights as float64 arrays, read back from the backend: the same starting point for both. */
async function readWeights(ops: EagerOperations, weights: NamedTensors): Promise<Record<string, Values>> {
  const read: Record<string, Values> = {};
  for (const [name, weight] of Object.entries(weights)) {
    read[name] = result(weight.shape, Float64Array.from(await ops.read(weight)));
  }
  return read;
}

const firstStepCase: Case = {
  name: 'loss and gradients of a tiny ViT agree with float64',
  async run(context) {
    const { ops, random } = context;
    // Few images: float64 in plain loops runs the model twice for each of its weights.
    const { images, labels } = examples(context, 3);
    const weights = model.initialize(ops, random.integer(0, 1e6));
    const [x, y] = [context.upload(images), context.upload(labels)];
    const { value, gradients } = valueAndGradients(ops, weights, (recorded, tensors) =>
      lossOf(recorded, tensors, x, y, fullPrecision, 0),
    );
    const exact = await readWeights(ops, weights);
    const exactLoss = (changed: Record<string, Values>) =>
      (lossOf(oracleOperations as Operations, changed, images, labels, fullPrecision, 0) as Values).data[0]!;

    await context.compare('the loss', value, scalar(exactLoss(exact), 1), 'gradient');
    for (const [name, gradient] of Object.entries(gradients)) {
      // One random direction a weight: the derivative along it weighs every element of the gradient.
      const own = exact[name]!;
      const direction = own.data.map(() => random.normal());
      const at = (h: number) =>
        exactLoss({ ...exact, [name]: { ...own, data: own.data.map((w, i) => w + h * direction[i]!) } });
      const want = (at(1e-5) - at(-1e-5)) / 2e-5;
      const data = await ops.read(gradient);
      let got = 0;
      let size = 0;
      data.forEach((g, i) => {
        got += g * direction[i]!;
        size += Math.abs(g * direction[i]!);
      });
      if (!(Math.abs(got - want) <= 3e-5 * (size + 1e-2))) {
        context.fail(`the gradient of ${name} is ${got} along a random direction, and ${want} in float64`);
      }
    }
    ops.dispose(value);
    ops.dispose(gradients);
    ops.dispose(weights);
  },
};

const scalar = (value: number, magnitude: number): Values =>
  result([], Float64Array.of(value), Float64Array.of(magnitude));

/** LMD for matrices, AdamW for the rest, as in the recommended configuration. */
const optimizer = () =>
  parameterGroups([
    { match: lmdParameter, optimizer: lmd({ learningRate: 0.01, noise: 0.02 }) },
    { match: '*', optimizer: adamw({ learningRate: 0.003 }) },
  ]);

interface Run {
  readonly losses: readonly number[];
  /** What the backend held after each step. */
  readonly tensors: readonly number[];
  readonly bits: string;
}

async function train(context: Context, steps: number, { images, labels }: Examples): Promise<Run> {
  const precision = precisionPreset('mxfp6_e3m2');
  const { ops, backend } = context;
  const rule = optimizer();
  const [x, y] = [context.upload(images), context.upload(labels)];
  const initial = model.initialize(ops, 7);
  let state: OptimizerState = await rule.init(ops, initial);
  ops.dispose(initial);
  const losses: number[] = [];
  const tensors: number[] = [];
  for (let step = 0; step < steps; step++) {
    const key = { seed: 11, step, sample: 0 };
    const { value, next } = ops.scope(() => {
      const weights = rule.draw(ops, state, key);
      const pass = valueAndGradients(ops, weights, (recorded, drawn) => lossOf(recorded, drawn, x, y, precision, step));
      const updated = rule.update(ops, state, [{ key, gradients: pass.gradients }]);
      return { value: pass.value, next: updated };
    });
    ops.dispose(state.tensors);
    state = next;
    losses.push((await ops.read(value))[0]!);
    ops.dispose(value);
    tensors.push(backend.memory().tensors);
  }
  const words: string[] = [];
  for (const tensor of Object.values(state.tensors)) words.push((await ops.read(tensor)).join());
  ops.dispose(state.tensors);
  return { losses, tensors, bits: words.join('|') };
}

const trainingCase: Case = {
  name: 'ten steps of a tiny ViT with LMD and AdamW under MXFP6: the loss falls, and nothing leaks',
  async run(context) {
    const steps = 10;
    const { losses, tensors } = await train(context, steps, examples(context, 8));
    const shown = losses.map((loss) => loss.toFixed(4)).join(', ');
    if (!losses.every(Number.isFinite)) context.fail(`a loss is not finite: ${shown}`);
    // Single losses vary with the noise of their sample. Over 40 sets of images this mean was at most 0.64 of the first
    // loss.
    const end = losses.slice(-3).reduce((total, loss) => total + loss, 0) / 3;
    if (!(end < 0.85 * losses[0]!)) context.fail(`the loss does not fall: ${shown}`);
    for (const count of tensors) context.expect(count).toBe(tensors[0]);
  },
};

const repeatableCase: Case = {
  name: 'the same seed gives the same bits',
  async run(context) {
    const examplesOnce = examples(context, 8);
    const first = await train(context, 3, examplesOnce);
    const second = await train(context, 3, examplesOnce);
    if (second.losses.join() !== first.losses.join()) {
      context.fail(`training with the same seed gives losses ${second.losses}, and gave ${first.losses} before`);
    }
    if (second.bits !== first.bits) context.fail('training with the same seed gives other bits of the state');
  },
};

/** Complete training steps. */
export const training: CaseGroup = {
  name: 'training',
  cases: [firstStepCase, trainingCase, repeatableCase],
};
