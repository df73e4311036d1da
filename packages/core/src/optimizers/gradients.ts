import { describeValue as describe, LmdError } from '../errors.js';
import type { EagerOperations } from '../operations.js';
import type { NamedTensors, Tensor } from '../tensor.js';
import { sameShape } from './state.js';

/**
 * Gradient accumulation: adds the gradients of a micro-batch to a running sum. It takes ownership of both and frees
 * them weight by weight, so that at most both and one more tensor are in memory. Without a running sum, `gradients`
 * becomes the sum.
 *
 * For one optimizer step, draw the weights once, call this after the backward pass of each micro-batch, and finally
 * divide (`scaleGradients` by 1 / number of equal micro-batches): this gives the mean gradient of the whole batch at
 * one sample.
 *
 * @throws LmdError `INVALID_ARGUMENT` naming a weight that only one of the two has, `SHAPE_MISMATCH` if shapes differ;
 *   then nothing has been freed.
 */
export function accumulateGradients(
  ops: EagerOperations,
  running: NamedTensors | undefined,
  gradients: NamedTensors,
): NamedTensors {
  if (running === undefined) return gradients;
  checkSameWeights(running, gradients);
  const sum: Record<string, Tensor> = {};
  for (const [name, before] of Object.entries(running)) {
    const more = gradients[name]!;
    sum[name] = ops.add(before, more);
    ops.dispose([before, more]);
  }
  return sum;
}

/** Multiplies all gradients by a factor and takes the given ones over: they are freed weight by weight. */
export function scaleGradients(ops: EagerOperations, gradients: NamedTensors, factor: number): NamedTensors {
  if (typeof factor !== 'number' || !Number.isFinite(factor)) {
    throw new LmdError('INVALID_ARGUMENT', `scaleGradients: factor is ${describe(factor)}.`, {
      subject: 'factor',
      value: factor,
      remedy: 'Use a finite number, such as one over the number of micro-batches.',
    });
  }
  const scaled: Record<string, Tensor> = {};
  for (const [name, gradient] of Object.entries(gradients)) {
    scaled[name] = ops.multiply(gradient, factor);
    ops.dispose(gradient);
  }
  return scaled;
}

/** The mean of the passes' gradients of one weight; with one pass, that gradient itself. */
export function averageGradients(ops: EagerOperations, gradients: readonly Tensor[]): Tensor {
  const [first, ...rest] = gradients;
  if (first === undefined) throw new LmdError('INVALID_ARGUMENT', 'No gradients to average.');
  if (rest.length === 0) return first;
  return ops.scope(() => {
    let sum = first;
    for (const gradient of rest) sum = ops.add(sum, gradient);
    return ops.multiply(sum, 1 / gradients.length);
  });
}

function checkSameWeights(running: NamedTensors, gradients: NamedTensors): void {
  for (const [one, other, which] of [
    [running, gradients, 'the new gradients'],
    [gradients, running, 'the running sum'],
  ] as const) {
    for (const name of Object.keys(one)) {
      if (other[name] !== undefined) continue;
      throw new LmdError('INVALID_ARGUMENT', `accumulateGradients: ${which} have no weight "${name}".`, {
        subject: name,
        remedy: 'Every micro-batch must have gradients of the same weights.',
      });
    }
  }
  for (const [name, { shape }] of Object.entries(running)) {
    const other = gradients[name]!.shape;
    if (sameShape(shape, other)) continue;
    throw new LmdError('SHAPE_MISMATCH', `accumulateGradients: "${name}" has shape [${other}], the sum [${shape}].`, {
      subject: name,
      value: other,
      remedy: 'A gradient has the shape of its weight in every micro-batch.',
    });
  }
}
