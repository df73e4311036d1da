import type { EagerOperations, NamedTensors, Tensor } from '@lmd/core';
import { Random } from '../random.js';

/**
 * A loss with its minimum, 0, at known weights. Initial weights have the signs of the minimum and other sizes, because
 * some multiplicative optimizers never change a sign.
 */
export interface Target {
  readonly name: string;
  initialWeights(ops: EagerOperations): NamedTensors;
  /** The loss, a scalar, and its gradients. The caller frees all of them. */
  evaluate(ops: EagerOperations, weights: NamedTensors): { readonly loss: Tensor; readonly gradients: NamedTensors };
}

const random = new Random(2506, 'targets of optimizers');
const uniforms = (size: number, low: number, high: number) =>
  Array.from({ length: size }, () => random.uniform(low, high));

/** Numbers from 0.2 to 1 in size, of either sign. */
const minimum = (size: number) => uniforms(size, 0.2, 1).map((value) => random.sign() * value);

/** Weights of the same signs, half to one and a half times as large. */
const start = (weights: readonly number[]) => weights.map((value) => value * random.pick([0.5, 1.5]));

/** Convex: ½ Σ cᵢ·(wᵢ − tᵢ)², curvatures cᵢ from 0.1 to 3, over weights of these shapes. */
function quadratic(shapes: Readonly<Record<string, readonly number[]>>): Target {
  const parts = Object.entries(shapes).map(([name, shape]) => {
    const size = shape.reduce((product: number, extent) => product * extent, 1);
    const goal = minimum(size);
    return { name, shape, goal, initial: start(goal), curvature: uniforms(size, -1, 0.5).map((x) => 10 ** x) };
  });
  return {
    name: 'quadratic',
    initialWeights: (ops) =>
      Object.fromEntries(parts.map(({ name, shape, initial }) => [name, ops.fromData(initial, shape)])),
    evaluate(ops, weights) {
      const gradients: Record<string, Tensor> = {};
      let loss = ops.zeros([]);
      for (const { name, shape, goal, curvature } of parts) {
        const distance = ops.subtract(weights[name]!, ops.fromData(goal, shape));
        gradients[name] = ops.multiply(distance, ops.fromData(curvature, shape));
        loss = ops.add(loss, ops.multiply(ops.sum(ops.multiply(distance, gradients[name]!)), 0.5));
      }
      return { loss, gradients };
    },
  };
}

/**
 * Convex: logistic regression toward the probabilities of known weights, as the mean divergence from them, so that the
 * minimum is 0.
 */
function logisticRegression(): Target {
  const [rows, width] = [32, 6];
  const inputs = uniforms(rows * width, -2, 2);
  const goal = minimum(width);
  const initial = start(goal);
  const sigmoid = (ops: EagerOperations, x: Tensor) => ops.multiply(ops.add(ops.tanh(ops.multiply(x, 0.5)), 1), 0.5);
  const divergence = (ops: EagerOperations, p: Tensor, q: Tensor) => ops.multiply(p, ops.log(ops.divide(p, q)));
  return {
    name: 'logisticRegression',
    initialWeights: (ops) => ({ weight: ops.fromData(initial, [width, 1]) }),
    evaluate(ops, { weight }) {
      const x = ops.fromData(inputs, [rows, width]);
      const target = sigmoid(ops, ops.matmul(x, ops.fromData(goal, [width, 1])));
      const predicted = sigmoid(ops, ops.matmul(x, weight!));
      const loss = ops.mean(
        ops.add(
          divergence(ops, target, predicted),
          divergence(ops, ops.subtract(1, target), ops.subtract(1, predicted)),
        ),
      );
      const residual = ops.multiply(ops.subtract(predicted, target), 1 / rows);
      return { loss, gradients: { weight: ops.matmul(x, residual, { transposeA: true }) } };
    },
  };
}

/** Not convex: ½·mean (U·V − M)² with M of rank 2, which has a saddle at 0 and a family of minima. */
function matrixFactorization(): Target {
  const [rows, rank, columns] = [5, 2, 4];
  const [left, right] = [minimum(rows * rank), minimum(rank * columns)];
  const [initialLeft, initialRight] = [start(left), start(right)];
  return {
    name: 'matrixFactorization',
    initialWeights: (ops) => ({
      left: ops.fromData(initialLeft, [rows, rank]),
      right: ops.fromData(initialRight, [rank, columns]),
    }),
    evaluate(ops, weights) {
      const [u, v] = [weights.left!, weights.right!];
      const goal = ops.matmul(ops.fromData(left, [rows, rank]), ops.fromData(right, [rank, columns]));
      const residual = ops.subtract(ops.matmul(u, v), goal);
      const scaled = ops.multiply(residual, 1 / rows);
      return {
        loss: ops.multiply(ops.sum(ops.multiply(residual, scaled)), 0.5),
        gradients: {
          left: ops.matmul(scaled, v, { transposeB: true }),
          right: ops.matmul(u, scaled, { transposeA: true }),
        },
      };
    },
  };
}

/** Not convex: a network of one tanh layer fits a network of the same architecture, by the mean squared error. */
function tanhNetwork(): Target {
  const [rows, width, hidden] = [32, 3, 4];
  const inputs = uniforms(rows * width, -2, 2);
  const [up, down] = [minimum(width * hidden), minimum(hidden)];
  const [initialUp, initialDown] = [start(up), start(down)];
  return {
    name: 'tanhNetwork',
    initialWeights: (ops) => ({
      up: ops.fromData(initialUp, [width, hidden]),
      down: ops.fromData(initialDown, [hidden, 1]),
    }),
    evaluate(ops, weights) {
      const x = ops.fromData(inputs, [rows, width]);
      const goal = ops.matmul(
        ops.tanh(ops.matmul(x, ops.fromData(up, [width, hidden]))),
        ops.fromData(down, [hidden, 1]),
      );
      const units = ops.tanh(ops.matmul(x, weights.up!));
      const residual = ops.subtract(ops.matmul(units, weights.down!), goal);
      const scaled = ops.multiply(residual, 2 / rows);
      const slope = ops.subtract(1, ops.multiply(units, units));
      const back = ops.multiply(ops.matmul(scaled, weights.down!, { transposeB: true }), slope);
      return {
        loss: ops.mean(ops.multiply(residual, residual)),
        gradients: {
          up: ops.matmul(x, back, { transposeA: true }),
          down: ops.matmul(units, scaled, { transposeA: true }),
        },
      };
    },
  };
}

export const targets: readonly Target[] = [
  quadratic({ matrix: [4, 3], vector: [5] }),
  logisticRegression(),
  matrixFactorization(),
  tanhNetwork(),
];

/** A scalar and weights of one to four axes, some of one element, with names that are parts of others. */
export const shapesOfWeights = {
  scale: [],
  'scale/deep': [1],
  'blocks/0/bias': [3],
  'blocks/0/kernel': [2, 3, 2],
  'blocks/0/kernel/filters': [1, 2, 1, 2],
} as const;

export const variedTarget: Target = quadratic(shapesOfWeights);
