import {
  adamw,
  type EagerOperations,
  lmd,
  type OptionTable,
  option,
  parameterGroups,
  type ResolvedOptions,
  schedules,
  sizeOf,
} from '@lmd/core';
import type { ExampleContext, Pictures } from '@lmd/example-shared';
import { type ClassHead, fullPrecision, imprintClass, lmdParameter, type Vit, vit } from '@lmd/models';
import { arrayDataset, permutation, train } from '@lmd/training';
import { featuresOf, withoutClass } from './digits.js';
import { normalizedMean } from './normalized-mean.js';
import { scoresOf } from './scores.js';

export const oneShotOptionTable = {
  class: option.integer({ atLeast: 0, atMost: 9, default: 9, describe: 'The digit that is left out of training.' }),
  pictures: option.integer({ atLeast: 1, atMost: 100, default: 10, describe: 'Largest number K of pictures.' }),
  draws: option.integer({ atLeast: 2, default: 20, describe: 'Number of random choices of the K pictures.' }),
  steps: option.integer({ atLeast: 1, default: 1500, describe: 'Number of training steps of 64 images.' }),
  seed: option.integer({ atLeast: 0, default: 0, describe: 'Seed of the weights, the data order and the choices.' }),
} as const satisfies OptionTable;

export type OneShotOptions = ResolvedOptions<typeof oneShotOptionTable>;

type HeadRule = (head: ClassHead, features: readonly Float32Array[]) => ClassHead;

export const methods = {
  DONE: imprintClass,
  imprinting: (head, features) => normalizedMean(head, features, 'unit'),
  'imprinting, scaled': (head, features) => normalizedMean(head, features, 'rows'),
} as const satisfies Record<string, HeadRule>;

/** A method with K pictures: means over the draws. */
export interface OneShotResult {
  readonly method: keyof typeof methods;
  readonly pictures: number;
  /** On the test images of the new class. */
  readonly newAccuracy: number;
  /** Standard deviation of `newAccuracy` over the draws. */
  readonly newDeviation: number;
  /** On the test images of the old classes, among all classes. */
  readonly oldAccuracy: number;
  /** Cross-entropy in nats on the test images of the old classes. */
  readonly oldLoss: number;
}

export interface OneShotMeasurement {
  /** Before the class is added, on the old classes alone. */
  readonly before: { readonly oldAccuracy: number; readonly oldLoss: number };
  readonly results: readonly OneShotResult[];
  readonly parameters: number;
  readonly trainingImages: number;
  /** Bytes that the class adds to the model. */
  readonly addedBytes: number;
}

/** The part of the time that training takes with the default options. */
const trainingShare = 0.85;

/** Trains a ViT without one class, adds it from 1 to K pictures by each method, and tests on all classes. */
export async function oneShot(
  ops: EagerOperations,
  data: { readonly train: Pictures; readonly test: Pictures },
  options: OneShotOptions,
  context: Pick<ExampleContext, 'show' | 'report' | 'signal'>,
): Promise<OneShotMeasurement> {
  const { seed, draws } = options;
  const [seen, tested] = [withoutClass(data.train, options.class), withoutClass(data.test, options.class)];
  const model = modelFor(seen.old);
  const trained = await trainOld(ops, model, seen.old, options, context);
  const { weights } = trained;
  const [pool, onNew, onOld] = [
    await featuresOf(ops, model, weights, seen.added),
    await featuresOf(ops, model, weights, tested.added),
    await featuresOf(ops, model, weights, tested.old),
  ];
  const head: ClassHead = {
    weight: (await ops.read(weights['head.weight']!)) as Float32Array,
    bias: (await ops.read(weights['head.bias']!)) as Float32Array,
  };
  trained.dispose();
  const before = await scoresOf(ops, head, onOld);

  const pictures = Math.min(options.pictures, pool.rows.length);
  const runs = Object.entries(methods).flatMap(([method, rule]) =>
    Array.from({ length: pictures }, (_, k) => ({ method: method as keyof typeof methods, rule, pictures: k + 1 })),
  );
  const results: OneShotResult[] = [];
  for (const { method, rule, pictures } of runs) {
    const share = trainingShare + ((1 - trainingShare) * results.length) / runs.length;
    await context.report(share, 1, `${method}, K = ${pictures}`);
    const drawn: { added: number; old: number; loss: number }[] = [];
    for (let draw = 0; draw < draws; draw += 1) {
      const chosen = permutation(pool.rows.length, seed, 'pictures', draw).subarray(0, pictures);
      const wider = rule(
        head,
        Array.from(chosen, (index) => pool.rows[index]!),
      );
      const old = await scoresOf(ops, wider, onOld);
      drawn.push({ added: (await scoresOf(ops, wider, onNew)).accuracy, old: old.accuracy, loss: old.loss });
    }
    const mean = (of: (one: (typeof drawn)[number]) => number) => drawn.reduce((sum, one) => sum + of(one), 0) / draws;
    const newAccuracy = mean(({ added }) => added);
    const variance = (mean(({ added }) => (added - newAccuracy) ** 2) * draws) / (draws - 1);
    results.push({
      ...{ method, pictures, newAccuracy, newDeviation: Math.sqrt(variance) },
      ...{ oldAccuracy: mean(({ old }) => old), oldLoss: mean(({ loss }) => loss) },
    });
  }
  return {
    before: { oldAccuracy: before.accuracy, oldLoss: before.loss },
    results,
    parameters: Object.values(model.parameters).reduce((sum, { shape }) => sum + sizeOf(shape), 0),
    trainingImages: seen.old.labels.length,
    addedBytes: Float32Array.BYTES_PER_ELEMENT * (model.config.width + 1),
  };
}

function modelFor({ pixels, labels }: Pictures): Vit {
  const imageSize = Math.sqrt(pixels);
  const size = { imageSize, channels: 1, classes: new Set(labels).size, patchSize: imageSize / 4 };
  return vit({ ...size, width: 64, depth: 2, heads: 4, pooling: 'mean' });
}

/** The settings of `lmd train first-light`, in FP32. */
function trainOld(
  ops: EagerOperations,
  model: Vit,
  { images, labels }: Pictures,
  { steps, seed }: OneShotOptions,
  { show, signal }: Pick<ExampleContext, 'show' | 'signal'>,
) {
  const { imageSize, classes } = model.config;
  const warmup = Math.min(30, Math.floor(steps / 10));
  const scheduled = (from: number) =>
    schedules.warmup(warmup, schedules.cosine({ from, to: 0.05 * from, steps: steps - warmup }));
  return train({
    ops,
    model,
    optimizer: parameterGroups([
      {
        match: lmdParameter,
        optimizer: lmd({ learningRate: scheduled(9.6e-3), regularization: 0.54, noise: 0.11, priorMedianFloor: 0.3 }),
      },
      { match: '*', optimizer: adamw({ learningRate: scheduled(9.9e-3), beta2: 0.99, weightDecay: 0 }) },
    ]),
    precision: fullPrecision,
    data: {
      train: arrayDataset({ name: 'digits', inputs: images, inputShape: [imageSize, imageSize, 1], labels, classes }),
    },
    seed,
    steps,
    batchSize: 64,
    signal,
    plugins: [
      { name: 'progress', step: ({ step }) => show((trainingShare * step) / steps, 1, `training, step ${step}`) },
    ],
  });
}
