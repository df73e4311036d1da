import { adamw, type EagerOperations, type Model, type NamedTensors, schedules } from '@lmd/core';
import { fullPrecision, vit } from '@lmd/models';
import { type Dataset, type Plugin, train } from '@lmd/training';
import { checkpointing, latestCheckpoint } from '@lmd/training/node';

export interface Classifier {
  readonly model: Model;
  readonly weights: NamedTensors;
  /** Share of the test pictures that it classifies correctly. */
  readonly accuracy: number;
}

export interface Judgement {
  readonly pictures: number;
  /** Mean of the largest class probability, and the share of pictures for which it is above 0.9. */
  readonly confidence: number;
  readonly confident: number;
  /** Pictures by most probable class. */
  readonly counts: readonly number[];
  /** exp of the entropy of `counts`: 10 if all classes are equally frequent, 1 if all pictures are of one class. */
  readonly effectiveClasses: number;
}

/** Trains a small Vision Transformer on the pictures x₀ in [1, 2]. Undefined if `signal` aborts it; it then resumes. */
export async function trainClassifier(
  ops: EagerOperations,
  data: { readonly train: Dataset; readonly test: Dataset },
  { folder, steps, seed, signal }: { folder: string; steps: number; seed: number; signal?: AbortSignal | undefined },
  plugins: readonly Plugin[] = [],
): Promise<Classifier | undefined> {
  const [imageSize] = data.train.inputShape as readonly [number];
  const classes = data.train.classes!;
  const body = vit({ imageSize, patchSize: 4, width: 64, depth: 2, heads: 4, channels: 1, classes, pooling: 'mean' });
  // From [1, 2] to [−1, 1].
  const model: Model = {
    ...body,
    forward: (ops, weights, x, context) =>
      ops.scope(() => body.forward(ops, weights, ops.subtract(ops.multiply(x, 2), 3), context)),
  };
  const cosine = schedules.cosine({ from: 4e-3, to: 1e-4, steps: Math.max(1, steps - 30) });
  const result = await train({
    ops,
    model,
    optimizer: adamw({ learningRate: schedules.warmup(30, cosine), beta2: 0.99, weightDecay: 0.05 }),
    precision: fullPrecision,
    data,
    seed,
    steps,
    batchSize: 64,
    evaluationBatchSize: 250,
    plugins: [...plugins, checkpointing({ folder, every: 200, best: 'none' })],
    resume: () => latestCheckpoint(folder),
    configuration: { steps },
    ...(signal === undefined ? {} : { signal }),
  });
  ops.dispose(result.state.tensors);
  if (result.status === 'interrupted') return undefined;
  return { model, weights: result.weights, accuracy: result.test!.accuracy };
}

/** How sure the classifier is of pictures x₀ [count, height, width, 1] and how they spread over the classes. */
export async function judge(
  ops: EagerOperations,
  { model, weights }: Classifier,
  pixels: Float32Array,
  [height, width]: readonly [number, number],
): Promise<Judgement> {
  const pictures = pixels.length / (height * width);
  const probabilities = ops.scope(() => {
    const images = ops.fromData(pixels, [pictures, height, width, 1]);
    const key = { seed: 0, step: 0, sample: 0 };
    return ops.keep(
      ops.softmax(model.forward(ops, weights, images, { training: false, precision: fullPrecision, key })),
    );
  });
  const classes = probabilities.shape[1]!;
  const values = (await ops.read(probabilities)) as Float32Array;
  ops.dispose(probabilities);
  const counts = new Array<number>(classes).fill(0);
  let [sum, confident] = [0, 0];
  for (let picture = 0; picture < pictures; picture++) {
    const row = values.subarray(picture * classes, (picture + 1) * classes);
    const largest = Math.max(...row);
    counts[row.indexOf(largest)]! += 1;
    sum += largest;
    if (largest > 0.9) confident += 1;
  }
  const entropy = counts.reduce((total, n) => (n === 0 ? total : total - (n / pictures) * Math.log(n / pictures)), 0);
  return {
    pictures,
    confidence: sum / pictures,
    confident: confident / pictures,
    counts,
    effectiveClasses: Math.exp(entropy),
  };
}
