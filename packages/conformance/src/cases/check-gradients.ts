import { valueAndGradients } from '@lmd/autograd';
import type { Operations, Tensor } from '@lmd/core';
import type { Context } from '../case.js';
import { oracleOperations } from '../oracle/operations.js';
import { normals, result, type Values } from '../values.js';

/** A function of tensors, run on the backend's tape and in float64 alike. */
type Differentiable = (ops: Operations, inputs: readonly Tensor[]) => Tensor;

/**
 * Compares the gradients of Σ cotangent·f(inputs), through the tape on the backend, with central differences of the
 * same function in float64. `constants` are inputs that no gradient is asked for, such as indices.
 */
export async function checkGradients(
  context: Context,
  label: string,
  inputs: readonly Values[],
  f: Differentiable,
  constants: readonly Values[] = [],
): Promise<void> {
  const shape = f(oracleOperations as Operations, [...inputs, ...constants]).shape;
  const cotangent = normals(context.random, shape);
  const loss = (ops: Operations, tensors: readonly Tensor[], weights: Tensor) =>
    ops.sum(ops.multiply(f(ops, tensors), weights));

  const { ops } = context;
  const fixed = [...constants, cotangent].map((one) => context.upload(one));
  const named = Object.fromEntries(inputs.map((one, i) => [String(i), context.upload(one)]));
  const { value, gradients } = valueAndGradients(ops, named, (recorded, tensors) =>
    loss(recorded, [...inputs.map((_, i) => tensors[String(i)]!), ...fixed.slice(0, -1)], fixed[fixed.length - 1]!),
  );
  const exactLoss = (changed: readonly Values[]) =>
    loss(oracleOperations as Operations, [...changed, ...constants], cotangent) as Values;
  const exact = exactLoss(inputs);
  const size = Math.max(1, exact.magnitudes![0]!);
  await context.compare(
    `the value of ${label} on a tape`,
    value,
    result([], exact.data, Float64Array.of(size)),
    'gradient',
  );
  const wants = inputs.map((_, i) => centralDifferences(inputs, i, (changed) => exactLoss(changed).data[0]!));
  for (const [i, want] of wants.entries()) {
    await context.compare(`gradient ${i} of ${label}`, gradients[String(i)]!, want, 'gradient');
  }
  ops.dispose(value);
  ops.dispose(gradients);
}

/** Fourth-order central differences in float64: their error is far below any bound for f32. */
function centralDifferences(
  inputs: readonly Values[],
  which: number,
  f: (inputs: readonly Values[]) => number,
): Values {
  const x = inputs[which]!;
  const at = (i: number, shift: number) => {
    const data = x.data.slice();
    data[i]! += shift;
    return f(inputs.map((input, j) => (j === which ? { ...x, data } : input)));
  };
  const gradient = x.data.map((value, i) => {
    const h = 1e-3 * Math.max(1e-2, Math.abs(value));
    return (8 * (at(i, h) - at(i, -h)) - (at(i, 2 * h) - at(i, -2 * h))) / (12 * h);
  });
  // Errors are carried from all elements to each, so the scale is that of the largest.
  const scale = gradient.reduce((largest, value) => Math.max(largest, Math.abs(value)), 1);
  return result(
    x.shape,
    gradient,
    gradient.map(() => scale),
  );
}
