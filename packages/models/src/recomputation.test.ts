import { valueAndGradients } from '@lmd/autograd';
import type { ForwardContext, NamedTensors, Operations, Precision, Tensor } from '@lmd/core';
import { describe, expect, it } from 'vitest';
import { key, randomTensor, reference } from '../test/support.js';
import { gpt2, languageModelLoss, precisionPreset, vit } from './index.js';

/** MXFP6 with stochastic rounding everywhere, the backward pass included. */
function stochastic(): Precision {
  const preset = precisionPreset('mxfp6_e3m2').forward.weights;
  const noisy = { ...(preset as Exclude<typeof preset, string>), rounding: 'stochastic' as const };
  return {
    forward: { weights: noisy, activations: noisy },
    backward: { weights: noisy, activations: noisy, gradients: noisy },
  };
}

const context: ForwardContext = { training: true, precision: stochastic(), key };
const noise = { dropout: 0.1, attentionDropout: 0.1 };
const depth = 6;

/** A model's loss and gradients as numbers, and the bytes that the pass took at its peak. */
function run(
  name: 'gpt2' | 'vit',
  recomputation: boolean | 'blocks',
): { numbers: { [name: string]: Float64Array }; peak: number } {
  const { ops, read } = reference('f32');
  const size = { width: 16, depth, heads: 2, recomputation, ...noise };
  const model =
    name === 'gpt2'
      ? gpt2({ vocabularySize: 11, contextLength: 32, ...size })
      : vit({ imageSize: 16, channels: 1, patchSize: 4, classes: 3, stochasticDepth: 0.2, ...size });
  const weights = model.initialize(ops, 1);
  const inputs = name === 'gpt2' ? ops.zeros([4, 32], 'i32') : randomTensor(ops, [4, 16, 16, 1], 1);
  const loss = (o: Operations, w: NamedTensors): Tensor => {
    const logits = model.forward(o, w, inputs, context);
    return name === 'gpt2'
      ? languageModelLoss(o, logits, o.full([4, 32], 7, 'i32'))
      : o.mean(o.crossEntropy(logits, o.full([4], 2, 'i32')));
  };
  const before = ops.memory();
  ops.resetPeakMemory();
  const { value, gradients } = valueAndGradients(ops, weights, loss);
  const peak = ops.memory().peakBytes - before.bytes;
  const entries = Object.entries({ ...gradients, loss: value }).map(([n, x]) => [n, read(x)] as const);
  ops.dispose([value, ...Object.values(gradients)]);
  expect(ops.memory().tensors).toBe(before.tensors);
  return { numbers: Object.fromEntries(entries), peak };
}

describe.each(['gpt2', 'vit'] as const)('recomputation of blocks in %s', (name) => {
  it('gives the same bits, with all the noise there is, in less memory', () => {
    const [kept, again, named] = [run(name, false), run(name, true), run(name, 'blocks')];
    expect(again.numbers).toEqual(kept.numbers);
    expect(named.numbers).toEqual(kept.numbers);
    expect(named.peak).toBe(again.peak);
    expect(again.peak).toBeLessThan(0.5 * kept.peak);
  });
});
