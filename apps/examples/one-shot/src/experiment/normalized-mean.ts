import { type ClassHead, imprintClass } from '@lmd/models';

const length = (vector: ArrayLike<number>) => Math.hypot(...Array.from(vector));

/**
 * Weight imprinting (Qi, Brown & Lowe, arXiv:1712.07136) in a head with biases: the direction of the new class is the
 * mean of its features, each first scaled to length 1. The paper's head has only rows of length 1 and no bias. Here the
 * bias is the median of the biases, as in DONE. The other classes are unchanged.
 *
 * @param features of one picture each, [inputs].
 * @param size of the new row: `unit` is length 1, as in the paper; `rows` is the mean length of the other rows, which
 * in this head is not 1.
 * @throws LmdError as `imprintClass`.
 */
export function normalizedMean(
  head: ClassHead,
  features: readonly Float32Array[],
  size: 'unit' | 'rows' = 'unit',
): ClassHead {
  // DONE gives the wider head its bias and its unchanged classes; only the new row differs.
  const wider = imprintClass(head, features);
  const old = head.bias.length;
  const inputs = head.weight.length / old;
  const columnOf = (label: number) => Float64Array.from({ length: inputs }, (_, i) => head.weight[i * old + label]!);
  const lengths = Array.from({ length: old }, (_, label) => length(columnOf(label)));
  const wanted = size === 'unit' ? 1 : lengths.reduce((a, b) => a + b) / old;
  const mean = new Float64Array(inputs);
  for (const one of features) {
    const scale = length(one);
    // Features of length 0 have no direction.
    if (scale > 0) for (let i = 0; i < inputs; i += 1) mean[i]! += one[i]! / scale;
  }
  const factor = length(mean) === 0 ? 0 : wanted / length(mean);
  const weight = wider.weight.slice();
  for (const [i, value] of mean.entries()) weight[i * (old + 1) + old] = value * factor;
  return { weight, bias: wider.bias };
}
