import { valueAndGradients } from '@lmd/autograd';
import type { NamedTensors, Operations, Tensor } from '@lmd/core';
import { describe, expect, it } from 'vitest';
import { type Golden, golden } from '../../test/golden.js';
import { cpu, key, reference } from '../../test/support.js';
import {
  fullPrecision,
  gpt2,
  gpt2Preset,
  type ImportSource,
  importPretrained,
  languageModelLoss,
  modelFromConfigJson,
  type PretrainedModel,
  type VitConfig,
  vit,
} from '../index.js';

const timm: VitConfig = {
  imageSize: 8,
  patchSize: 4,
  channels: 2,
  classes: 3,
  width: 16,
  depth: 2,
  heads: 2,
  mlpWidth: 40,
};
const cases: readonly (readonly [Parameters<typeof golden>[0], Partial<ImportSource>])[] = [
  ['gpt2', {}],
  ['vit-transformers', {}],
  ['vit-timm-class-token', { model: vit(timm) }],
  ['vit-timm-mean', { model: vit({ ...timm, pooling: 'mean' }) }],
];

/**
 * The bounds. In float64, ours and theirs differ by the order of sums: 1e-12 on logits of the order of 10. The golden
 * gradients are stored in float32, half an ulp of which is 2^-25 of the value: 1e-7 of the largest in a weight. In
 * float32, a sum of 40 products a few layers deep: 1e-5 of the largest.
 */
const bounds = {
  f64: { logits: 1e-12, gradients: 1e-7 },
  f32: { logits: 1e-5, gradients: 2e-5 },
} as const;

function inputsOf(ops: Operations, model: PretrainedModel, { inputs, labels }: Golden): { x: Tensor; targets: Tensor } {
  const targets = ops.fromData(Int32Array.from(labels.data), labels.shape);
  if (model.architecture === 'gpt2') return { x: ops.fromData(Int32Array.from(inputs.data), inputs.shape), targets };
  // torch's images are [batch, channel, row, column].
  return { x: ops.transpose(ops.fromData(inputs.data, inputs.shape), [0, 2, 3, 1]), targets };
}

describe.each(cases)('%s', (name, source) => {
  const expected = golden(name);
  const sourceOf = (tensors: ImportSource['tensors']): ImportSource => ({
    ...(expected.config === undefined ? {} : { config: expected.config }),
    ...source,
    tensors,
  });

  it.each([
    ['f64', 'reference'],
    ['f32', 'reference'],
    ['f32', 'cpu'],
  ] as const)(
    'has the logits, loss and every gradient of the original in %s on the %s backend',
    async (storage, backend) => {
      const { ops, read } = backend === 'cpu' ? await cpu() : reference(storage);
      const { model, weights } = await importPretrained(ops, sourceOf(expected.tensors));
      const gradientsThere = await importPretrained(ops, sourceOf(expected.gradients));
      expect(Object.keys(weights)).toEqual(Object.keys(model.parameters));

      const { x, targets } = inputsOf(ops, model, expected);
      const context = { training: false, precision: fullPrecision, key };
      const logits = model.forward(ops, weights, x, context);
      expect(logits.shape).toEqual(expected.logits.shape);
      const largest = (values: ArrayLike<number>) => Math.max(...Array.from(values, Math.abs));
      const difference = (a: ArrayLike<number>, b: ArrayLike<number>) => largest(Array.from(a, (v, i) => v - b[i]!));
      expect(difference(await read(logits), expected.logits.data)).toBeLessThan(
        bounds[storage].logits * largest(expected.logits.data),
      );

      const { value, gradients } = valueAndGradients(ops, weights, (o: Operations, w: NamedTensors) => {
        const y = model.forward(o, w, x, context);
        return model.architecture === 'gpt2' ? languageModelLoss(o, y, targets) : o.mean(o.crossEntropy(y, targets));
      });
      expect(Math.abs((await read(value))[0]! - expected.loss)).toBeLessThan(bounds[storage].logits * expected.loss);
      for (const [weight, gradient] of Object.entries(gradients)) {
        const [ours, theirs] = [await read(gradient), await read(gradientsThere.weights[weight]!)];
        // A bias of keys has no effect on attention, so its gradient is rounding alone: hence the part that is not
        // relative.
        const bound = bounds[storage].gradients * (largest(theirs) + 1e-3);
        expect(difference(ours, theirs), weight).toBeLessThan(bound);
        expect(largest(theirs), `${weight} has a gradient`).toBeGreaterThan(0);
      }
    },
  );
});

it('reads the published sizes out of config.json', () => {
  const published = { model_type: 'gpt2', vocab_size: 50257, n_positions: 1024, n_embd: 768, n_layer: 12, n_head: 12 };
  expect(modelFromConfigJson(published).config).toEqual(gpt2(gpt2Preset('124M')).config);
});
