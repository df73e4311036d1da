import { valueAndGradients } from '@lmd/autograd';
import {
  adamw,
  type ForwardContext,
  frozen,
  lmd,
  type NamedTensors,
  type Operations,
  type Optimizer,
  parameterGroups,
} from '@lmd/core';
import { describe, expect, it } from 'vitest';
import { errorOf, expectFiniteDifferences, key, reference, stirred } from '../test/support.js';
import {
  fullPrecision,
  gpt2,
  type LoraOptions,
  languageModelLoss,
  lmdParameter,
  lora,
  partlyTrained,
  precisionPreset,
  vit,
} from './index.js';

const context: ForwardContext = { training: true, precision: fullPrecision, key };
const model = gpt2({ vocabularySize: 11, contextLength: 6, width: 8, depth: 2, heads: 2 });
const rank2: LoraOptions = { rank: 2, alpha: 3 };

function setUp(storage: 'f32' | 'f64' = 'f32', options: LoraOptions = rank2) {
  const { ops, read } = reference(storage);
  const base = stirred(ops, model.initialize(ops, 7));
  const tokens = ops.fromData(Int32Array.of(3, 1, 4, 1, 5, 9, 2, 6, 5, 10), [2, 5]);
  const targets = ops.fromData(Int32Array.of(1, 4, 1, 5, 9, 2, 6, 5, 10, 0), [2, 5]);
  const adapted = lora(model, base, options);
  const adapters = adapted.initialize(ops, 3);
  const loss = (o: Operations, w: NamedTensors) =>
    languageModelLoss(o, adapted.forward(o, w, tokens, context), targets);
  return { ops, read, base, tokens, targets, adapted, adapters, loss };
}

describe('lora', () => {
  it('has adapters of the matched matrices, and begins as the base', () => {
    const { ops, read, base, tokens, adapted, adapters } = setUp();
    expect(Object.fromEntries(Object.entries(adapted.parameters).map(([name, { shape }]) => [name, shape]))).toEqual(
      Object.fromEntries(
        [0, 1].flatMap((block) => [
          [`blocks.${block}.attention.qkv.loraA.weight`, [8, 2]],
          [`blocks.${block}.attention.qkv.loraB`, [2, 24]],
          [`blocks.${block}.attention.projection.loraA.weight`, [8, 2]],
          [`blocks.${block}.attention.projection.loraB`, [2, 8]],
        ]),
      ),
    );
    expect(Object.keys(adapters)).toEqual(Object.keys(adapted.parameters));
    const forward = (m: typeof adapted | typeof model, w: NamedTensors) => read(m.forward(ops, w, tokens, context));
    expect(forward(adapted, adapters)).toEqual(forward(model, base));
  });

  it('has the gradient that finite differences have, and leaves nothing behind', () => {
    const { ops, read, adapters, loss } = setUp('f64', { ...rank2, train: /^norm\./ });
    expect(Object.keys(adapters)).toContain('norm.gain');
    const begun = stirred(ops, adapters);
    const before = ops.memory().tensors;
    const { value, gradients } = valueAndGradients(ops, begun, loss);
    ops.dispose([value, ...Object.values(gradients)]);
    expect(ops.memory().tensors).toBe(before);
    expectFiniteDifferences({ ops, read }, begun, loss);
  });

  it('merges into weights of the base model, to the bit, in low precision too', () => {
    const { ops, read, base, tokens, adapted, adapters } = setUp('f32', { ...rank2, train: 'norm.bias' });
    const begun = stirred(ops, adapters);
    const before = ops.memory().tensors;
    ops.dispose(adapted.merge(ops, begun));
    expect(ops.memory().tensors).toBe(before);
    expect(ops.isDisposed(base['norm.gain']!) || ops.isDisposed(begun['norm.bias']!)).toBe(false);
    const merged = adapted.merge(ops, begun);
    expect(Object.keys(merged)).toEqual(Object.keys(base));
    for (const name of ['fp32', 'mxfp6_e3m2']) {
      const precise = { ...context, precision: precisionPreset(name) };
      const logits = read(model.forward(ops, merged, tokens, precise));
      expect(read(adapted.forward(ops, begun, tokens, precise))).toEqual(logits);
      expect(read(model.forward(ops, base, tokens, precise))).not.toEqual(logits);
    }
    const name = 'blocks.1.attention.projection';
    const [a, b, w, sum] = [
      begun[`${name}.loraA.weight`]!,
      begun[`${name}.loraB`]!,
      base[`${name}.weight`]!,
      merged[`${name}.weight`]!,
    ].map(read) as [Float64Array, Float64Array, Float64Array, Float64Array];
    const expected = w[8 + 3]! + 1.5 * (a[2]! * b[3]! + a[3]! * b[8 + 3]!);
    expect(sum[8 + 3]).toBeCloseTo(expected, 5);
  });

  it('trains with LMD and an additive rule, and leaves the base alone', async () => {
    const { ops, read, base, adapters, loss } = setUp();
    const optimizer = parameterGroups([
      { match: lmdParameter, optimizer: lmd({ learningRate: 0.02 }) },
      { match: '*', optimizer: adamw({ learningRate: 0.02 }) },
    ]);
    const before = read(base['blocks.0.attention.qkv.weight']!);
    const losses = await train(optimizer, ops, read, adapters, loss);
    expect(losses.at(-1)).toBeLessThan(0.8 * losses[0]!);
    expect(read(base['blocks.0.attention.qkv.weight']!)).toEqual(before);
  });

  it('refuses what does not fit', () => {
    const { ops, base } = setUp();
    for (const [options, subject, code] of [
      [{ rank: 0 }, 'rank', 'INVALID_ARGUMENT'],
      [{ rank: 9 }, 'blocks.0.attention.qkv.weight', 'INVALID_ARGUMENT'],
      [{ alpha: 0 }, 'alpha', 'INVALID_ARGUMENT'],
      [{ match: /decoder/ }, 'match', 'INVALID_ARGUMENT'],
      [{ match: 'norm.gain' }, 'norm.gain', 'INVALID_ARGUMENT'],
      [{ rank: 2, train: /qkv/ }, 'blocks.0.attention.qkv.weight', 'INVALID_ARGUMENT'],
      [{ r: 4 }, 'r', 'UNKNOWN_OPTION'],
    ] as const) {
      expect(
        errorOf(() => lora(model, base, options as LoraOptions)),
        subject,
      ).toMatchObject({ code, subject });
    }
    const { 'norm.gain': gone, ...rest } = base;
    expect(gone).toBeDefined();
    expect(errorOf(() => lora(model, rest, rank2))).toMatchObject({ subject: 'norm.gain' });
    const adapted = lora(model, base, rank2);
    expect(errorOf(() => adapted.merge(ops, {}))).toMatchObject({ subject: 'blocks.0.attention.qkv.loraA.weight' });
  });
});

it('trains the head of a frozen model', async () => {
  const { ops, read } = reference('f32');
  const classifier = vit({ imageSize: 8, channels: 1, patchSize: 4, width: 8, depth: 1, heads: 1, classes: 2 });
  const weights = classifier.initialize(ops, 1);
  const images = ops.randomNormal([6, 8, 8, 1], { ...key, stream: 1 });
  const labels = ops.fromData(Int32Array.of(0, 1, 0, 1, 1, 0));
  const optimizer = parameterGroups([
    { match: /^head\./, optimizer: adamw({ learningRate: 0.05 }) },
    { match: '*', optimizer: frozen() },
  ]);
  const losses = await train(optimizer, ops, read, weights, (o, w) =>
    o.mean(o.crossEntropy(classifier.forward(o, w, images, context), labels)),
  );
  expect(losses.at(-1)).toBeLessThan(0.8 * losses[0]!);
});

async function train(
  optimizer: Optimizer,
  ops: ReturnType<typeof reference>['ops'],
  read: ReturnType<typeof reference>['read'],
  weights: NamedTensors,
  loss: (ops: Operations, weights: NamedTensors) => ReturnType<Operations['mean']>,
): Promise<number[]> {
  let state = await optimizer.init(ops, weights);
  const losses: number[] = [];
  for (let step = 0; step < 40; step++) {
    const at = { ...key, step };
    const drawn = optimizer.draw(ops, state, at);
    const { value, gradients } = valueAndGradients(ops, drawn, loss);
    losses.push(read(value)[0]!);
    state = optimizer.update(ops, state, [{ key: at, gradients }]);
  }
  return losses;
}

describe('partlyTrained', () => {
  it('trains the chosen weights alone: no gradient and no state for the others', async () => {
    const { ops, read, base, tokens, targets } = setUp();
    const partly = partlyTrained(model, base, /^blocks\.1\.mlp\./);
    const chosen = Object.keys(model.parameters).filter((name) => name.startsWith('blocks.1.mlp.'));
    expect(Object.keys(partly.parameters)).toEqual(chosen);
    const trained = partly.initialize(ops, 5);
    const loss = (o: Operations, w: NamedTensors) =>
      languageModelLoss(o, partly.forward(o, w, tokens, context), targets);
    const whole = (o: Operations, w: NamedTensors) =>
      languageModelLoss(o, model.forward(o, w, tokens, context), targets);
    const some = valueAndGradients(ops, trained, loss);
    const all = valueAndGradients(ops, base, whole);
    expect(await read(some.value)).toEqual(await read(all.value));
    expect(Object.keys(some.gradients)).toEqual(chosen);
    for (const name of chosen) expect(await read(some.gradients[name]!)).toEqual(await read(all.gradients[name]!));
    const merged = partly.merge(ops, trained);
    ops.dispose(trained);
    for (const [name, tensor] of Object.entries(base)) expect(await read(merged[name]!)).toEqual(await read(tensor));
  });

  it('refuses a choice of nothing', () => {
    const { base } = setUp();
    expect(errorOf(() => partlyTrained(model, base, /nowhere/))).toMatchObject({ subject: 'train' });
  });
});
