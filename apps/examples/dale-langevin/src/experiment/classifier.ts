import { adamw, disposeState, type EagerOperations, type NamedTensors, schedules } from '@lmd/core';
import { accuracyOf, type Network, network, type Pictures, type Report, trainingStep } from '@lmd/example-shared';
import { dataOrder } from '@lmd/training';

export interface Classifier {
  readonly net: Network;
  readonly weights: NamedTensors;
  /** Fraction of the test pictures that it classifies correctly. */
  readonly accuracy: number;
}

export interface Judgement {
  readonly pictures: number;
  /** Mean of the largest class probability, and the fraction of pictures for which it is above 0.9. */
  readonly confidence: number;
  readonly confident: number;
  /** Pictures by most probable class. */
  readonly counts: readonly number[];
  /** exp of the entropy of `counts`: 10 if all classes are equally frequent, 1 if all pictures are of one class. */
  readonly effectiveClasses: number;
}

/** Pixels in [0, 1] of pictures x₀ = 1 + pixel. */
const pixelsOf = (x0: Float32Array) => x0.map((value) => Math.min(1, Math.max(0, value - 1)));

/** Trains a fully connected network on pictures x₀ in [1, 2]. */
export async function trainClassifier(
  ops: EagerOperations,
  data: { readonly train: Pictures; readonly test: Pictures },
  { steps, seed }: { readonly steps: number; readonly seed: number },
  report: Report,
): Promise<Classifier> {
  const [train, test] = [data.train, data.test].map((part) => ({ ...part, images: pixelsOf(part.images) })) as [
    Pictures,
    Pictures,
  ];
  const classes = 1 + train.labels.reduce((largest, label) => Math.max(largest, label), 0);
  const net = network([train.pixels, 256, classes]);
  const optimizer = adamw({ learningRate: schedules.cosine({ from: 2e-3, to: 1e-5, steps }), weightDecay: 0.05 });
  const { batchAt } = dataOrder({ size: train.labels.length, batchSize: Math.min(64, train.labels.length), seed });
  const initial = net.initialize(ops, seed);
  let state = await optimizer.init(ops, initial);
  ops.dispose(initial);
  try {
    for (let step = 0; step < steps; step += 1) {
      const batch = { pictures: train, indices: batchAt(step).indices, key: { seed, step, sample: 0 } };
      const next = trainingStep(ops, net, optimizer, state, batch);
      disposeState(ops, state);
      state = next;
      await report(step + 1, steps, 'training a classifier');
    }
    const weights = optimizer.weights(ops, state);
    return { net, weights, accuracy: await accuracyOf(ops, net, weights, test) };
  } finally {
    disposeState(ops, state);
  }
}

/** How sure the classifier is of pictures x₀, row-major [count, height, width], and their spread over the classes. */
export async function judge(ops: EagerOperations, { net, weights }: Classifier, x0: Float32Array): Promise<Judgement> {
  const [pixels] = Object.values(net.shapes)[0]!;
  const pictures = x0.length / pixels;
  const probabilities = ops.scope(() =>
    ops.softmax(net.forward(ops, weights, ops.fromData(pixelsOf(x0), [pictures, pixels])).logits),
  );
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
