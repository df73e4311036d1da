import type { Case, Context } from '../case.js';
import { crossEntropy, crossEntropyGradient } from '../oracle/cross-entropy.js';
import { integers, normals, repeated, type Values } from '../values.js';

function checkCrossEntropy(context: Context, logits: Values, labels: Values): Promise<void> {
  return context.check({
    label: 'crossEntropy',
    bound: 'crossEntropy',
    kernel: 'crossEntropy',
    inputs: [logits, labels],
    run: (ops, [x, at]) => ops.crossEntropy(x!, at!),
    want: crossEntropy(logits, labels),
  });
}

function checkCrossEntropyGradient(context: Context, logits: Values, labels: Values): Promise<void> {
  const dy = normals(context.random, labels.shape);
  return context.check({
    label: 'crossEntropyGradient',
    bound: 'crossEntropyGradient',
    kernel: 'crossEntropyGradient',
    inputs: [logits, labels, dy],
    run: (ops, [x, at, d]) => ops.crossEntropyGradient(x!, at!, d!),
    want: crossEntropyGradient(logits, labels, dy),
  });
}

function crossEntropyCase(name: string, check: typeof checkCrossEntropy): Case {
  return {
    name,
    async run(context) {
      const { random } = context;
      for (const [rows, classes] of [
        [1, 1],
        [1, 10],
        [7, 2],
        [5, 33],
        [0, 3],
        [random.integer(1, 20), random.integer(2, 90)],
      ] as const) {
        const labels = integers([rows], () => random.integer(0, classes - 1));
        await check(context, normals(random, [rows, classes], 4), labels);
      }
      // A confident correct prediction has a loss near 0, a confident wrong one a large loss; neither overflows.
      await check(
        context,
        repeated([2, 3], [100, -100, 0]),
        integers([2], (i) => i),
      );
    },
  };
}

const outOfRange = (check: typeof checkCrossEntropy) => async (context: Context) => {
  const labels = [1, 4, -1, 0, 2147483647];
  await check(
    context,
    normals(context.random, [labels.length, 4]),
    integers([labels.length], (i) => labels[i]!),
  );
};

/** The loss of classification and its gradient: part of the group `neural`. */
export const crossEntropyCases: Case[] = [
  crossEntropyCase('crossEntropy', checkCrossEntropy),
  { name: 'crossEntropy gives NaN for a label out of range', run: outOfRange(checkCrossEntropy) },
  crossEntropyCase('crossEntropyGradient', checkCrossEntropyGradient),
];
