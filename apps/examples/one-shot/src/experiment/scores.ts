import type { EagerOperations } from '@lmd/core';
import type { ClassHead } from '@lmd/models';
import type { Features } from './digits.js';

export interface Scores {
  readonly accuracy: number;
  /** Mean cross-entropy in nats. */
  readonly loss: number;
}

/** Accuracy and loss of a head on features. The product is computed by the backend, as in the model. */
export async function scoresOf(
  ops: EagerOperations,
  { weight, bias }: ClassHead,
  { rows, labels }: Features,
): Promise<Scores> {
  const classes = bias.length;
  const inputs = weight.length / classes;
  const flat = new Float32Array(rows.length * inputs);
  for (const [row, values] of rows.entries()) flat.set(values, row * inputs);
  const logits = ops.scope(() =>
    ops.add(
      ops.matmul(ops.fromData(flat, [rows.length, inputs]), ops.fromData(weight, [inputs, classes])),
      ops.fromData(bias),
    ),
  );
  const read = (await ops.read(logits)) as Float32Array;
  ops.dispose(logits);
  let [correct, loss] = [0, 0];
  for (const [row, label] of labels.entries()) {
    const own = read.subarray(row * classes, (row + 1) * classes);
    const largest = Math.max(...own);
    if (own.indexOf(largest) === label) correct += 1;
    loss += largest + Math.log(own.reduce((sum, logit) => sum + Math.exp(logit - largest), 0)) - own[label]!;
  }
  return { accuracy: correct / rows.length, loss: loss / rows.length };
}
