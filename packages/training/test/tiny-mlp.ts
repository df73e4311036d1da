import type { Model, Operations, Precision, Tensor } from '@lmd/core';
import { arrayDataset, type Dataset } from '../src/index.js';

export const f32: Precision = {
  forward: { weights: 'f32', activations: 'f32' },
  backward: { weights: 'f32', activations: 'f32', gradients: 'f32' },
};

/** A two-layer network of a few dozen weights, whose hidden layer adds noise of the pass when it trains. */
export function tinyMlp(inputs = 2, hidden = 8, classes = 2, dropout = 0): Model {
  const parameters = {
    'hidden.weight': { shape: [inputs, hidden] },
    'hidden.bias': { shape: [hidden] },
    'head.weight': { shape: [hidden, classes] },
    'head.bias': { shape: [classes] },
  };
  const names = Object.keys(parameters) as (keyof typeof parameters)[];
  return {
    name: `mlp-${inputs}-${hidden}-${classes}`,
    parameters,
    initialize: (ops, seed) =>
      ops.scope(() =>
        Object.fromEntries(
          names.map((name, stream) => [
            name,
            ops.multiply(ops.randomNormal(parameters[name].shape, { seed, stream, step: 0, sample: 0 }), 0.5),
          ]),
        ),
      ),
    forward(ops: Operations, weights, x: Tensor, { training, key }) {
      const w = (name: keyof typeof parameters) => weights[name]!;
      let h = ops.tanh(ops.add(ops.matmul(x, w('hidden.weight')), w('hidden.bias')));
      if (training && dropout > 0) {
        const kept = ops.less(ops.randomUniform(h.shape, { ...key, stream: 99 }), ops.full([], 1 - dropout));
        h = ops.where(kept, ops.multiply(h, 1 / (1 - dropout)), 0);
      }
      return ops.add(ops.matmul(h, w('head.weight')), w('head.bias'));
    },
  };
}

/** Two interleaved half circles, without randomness. */
export function moons(size: number, name = 'moons'): Dataset {
  const inputs = new Float32Array(size * 2);
  const labels = new Int32Array(size);
  for (let index = 0; index < size; index++) {
    const label = index % 2;
    const angle = (Math.PI * index) / size;
    inputs[2 * index] = label === 0 ? Math.cos(angle) : 1 - Math.cos(angle);
    inputs[2 * index + 1] = label === 0 ? Math.sin(angle) : 0.5 - Math.sin(angle);
    labels[index] = label;
  }
  return arrayDataset({ name, inputs, inputShape: [2], labels, classes: 2 });
}
