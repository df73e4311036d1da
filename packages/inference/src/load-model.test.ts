import { createReferenceBackend } from '@lmd/backends/reference';
import { createOperations } from '@lmd/core';
import { precisionPreset } from '@lmd/models';
import { parseSafetensors, serializeSafetensors } from '@lmd/safetensors';
import { describe, expect, it } from 'vitest';
import { initialTensors, outcome, ownModel, preprocessing, smallVit } from '../test/support.js';
import type { ImageInput } from './image-input.js';
import { loadModel } from './load-model.js';

const backend = createReferenceBackend();
const classNames = ['cat', 'dog', 'owl'];
const bytes = await ownModel(smallVit(), { classNames, preprocessing, precision: 'mxfp6_e2m3', seed: 3, steps: 7 });
const model = await loadModel(bytes, { backend });

/** A picture of 12 × 10 pixels. */
function picture(channels: number, seed = 0) {
  const data = Uint8Array.from({ length: 120 * channels }, (_, i) => (i * 37 + seed * 11) % 256);
  return { width: 12, height: 10, channels, data };
}

describe('a model that knows itself', () => {
  it('says its classes, its preprocessing and how it was trained', () => {
    expect(model.classNames).toEqual(classNames);
    expect(model.preprocessing).toEqual(preprocessing);
    expect(model.notes).toEqual([]);
    expect(model.description).toMatchObject({ architecture: 'vit', precision: 'mxfp6_e2m3', seed: 3, steps: 7 });
  });

  it('classifies a picture: the softmax of the logits, in the format that it was trained in', async () => {
    const ops = createOperations(backend);
    const vit = smallVit();
    const { data } = await model.prepare(picture(3));
    const tensors = await initialTensors(vit);
    const weights = Object.fromEntries(
      Object.entries(tensors).map(([name, { data, shape }]) => [
        name,
        ops.fromData(new Float32Array(data.buffer), shape),
      ]),
    );
    const context = {
      training: false,
      precision: precisionPreset('mxfp6_e2m3'),
      key: { seed: 0, step: 0, sample: 0 },
    };
    const logits = await ops.read(vit.forward(ops, weights, ops.fromData(data, [1, 8, 8, 3]), context));
    const exponents = Array.from(logits, Math.exp);
    const sum = exponents.reduce((total, one) => total + one, 0);
    const { probabilities, top, className, label, probability, spread } = await model.classify(picture(3), { topK: 2 });
    for (const [i, value] of exponents.entries()) expect(probabilities[i]).toBeCloseTo(value / sum, 12);
    const best = exponents.indexOf(Math.max(...exponents));
    expect({ label, className }).toEqual({ label: best, className: classNames[best] });
    expect(top).toHaveLength(2);
    expect(top[0]).toEqual({ label, className, probability });
    expect(top[1]!.probability).toBeLessThanOrEqual(probability);
    expect(spread).toBeUndefined();
  });

  it('classifies a list in batches of any size alike', async () => {
    const pictures = [0, 1, 2, 3, 4].map((seed) => picture(3, seed));
    const results = await model.classify(pictures, { batchSize: 2 });
    expect(results).toHaveLength(5);
    for (const [i, one] of pictures.entries()) expect(await model.classify(one)).toEqual(results[i]);
    expect(await model.classify([])).toEqual([]);
  });

  it('embeds: the features whose product with the head gives the logits', async () => {
    const full = await loadModel(bytes, { backend, format: 'fp32' });
    const features = await full.embed(picture(3));
    expect(features).toHaveLength(16);
    expect(await full.embed([picture(3), picture(3, 1)])).toEqual([features, await full.embed(picture(3, 1))]);
    const { tensors } = parseSafetensors(bytes);
    const [head, bias] = ['head.weight', 'head.bias'].map((name) => {
      const { data } = tensors.get(name)!;
      return new Float32Array(data.slice().buffer);
    });
    const logits = classNames.map((_, k) =>
      features.reduce((sum, value, i) => sum + value * head![i * 3 + k]!, bias![k]!),
    );
    const { probabilities } = await full.classify(picture(3));
    const difference = Math.log(probabilities[0]! / probabilities[1]!);
    expect(difference).toBeCloseTo(logits[0]! - logits[1]!, 5);
    full.dispose();
  });

  it('leaves no tensor behind, and refuses to go on after it is disposed of', async () => {
    const before = backend.memory().tensors;
    const own = await loadModel(bytes, { backend });
    await own.classify([picture(3), picture(3, 1)]);
    await own.embed(picture(3));
    own.dispose();
    own.dispose();
    expect(backend.memory().tensors).toBe(before);
    expect(await outcome(() => own.classify(picture(3)))).toBe('TENSOR_DISPOSED');
  });
});

describe('a picture', () => {
  it('may be grey, with alpha, ImageData, or an input of the network', async () => {
    const { data } = picture(4);
    const rgb = Uint8Array.from({ length: 360 }, (_, i) => data[4 * Math.floor(i / 3) + (i % 3)]!);
    const expected = await model.classify({ width: 12, height: 10, data: rgb });
    expect(await model.classify({ width: 12, height: 10, data: new Uint8ClampedArray(data) })).toEqual(expected);
    expect(await model.classify(await model.prepare(picture(4)))).toEqual(expected);
    const grey = picture(1);
    const spread = Uint8Array.from({ length: 360 }, (_, i) => grey.data[Math.floor(i / 3)]!);
    expect(await model.classify(grey)).toEqual(await model.classify({ ...grey, channels: 3, data: spread }));
  });

  it.each<[string, unknown, string]>([
    ['null', null, 'INVALID_ARGUMENT'],
    ['a text', 'cat.png', 'INVALID_ARGUMENT'],
    ['pixels without a size', { data: new Uint8Array(12) }, 'INVALID_ARGUMENT'],
    ['too few bytes', { width: 2, height: 2, data: new Uint8Array(3) }, 'INVALID_ARGUMENT'],
    ['floats as pixels', { width: 2, height: 2, data: new Float32Array(12) }, 'INVALID_ARGUMENT'],
    ['an element that cannot be drawn here', { width: 2, height: 2 }, 'INVALID_ARGUMENT'],
    ['an input of another shape', { data: new Float32Array(12), shape: [2, 2, 3] }, 'SHAPE_MISMATCH'],
    ['an encoded image, which needs a browser', Uint8Array.of(0xff, 0xd8), 'UNSUPPORTED'],
  ])('that is %s is refused', async (_, image, code) => {
    expect(await outcome(() => model.classify(image as ImageInput))).toBe(code);
  });
});

describe('a model that does not know all', () => {
  it('has its indices as class names, and says so', async () => {
    const own = await loadModel(await ownModel(smallVit()), { backend });
    expect(own.classNames).toEqual(['0', '1', '2']);
    expect(own.notes).toEqual(['the model has no class names: classes are shown by their index']);
    await expect(own.classify(picture(3))).rejects.toThrow(/Pass preprocessing to loadModel/);
    const given = await loadModel(await ownModel(smallVit()), {
      backend,
      preprocessing,
      classNames,
      format: 'mxfp6_e2m3',
    });
    expect(await given.classify(picture(3))).toEqual(await model.classify(picture(3)));
  });

  it.each<[string, object, string]>([
    ['too few class names', { classNames: ['a'] }, 'INVALID_ARGUMENT'],
    ['class names that are no texts', { classNames: [1, 2, 3] }, 'INVALID_ARGUMENT'],
    ['preprocessing for another size', { preprocessing: { ...preprocessing, width: 9 } }, 'SHAPE_MISMATCH'],
    ['preprocessing with a mean too few', { preprocessing: { ...preprocessing, mean: [0] } }, 'INVALID_ARGUMENT'],
    ['an unknown format', { format: 'fp7' }, 'INVALID_ARGUMENT'],
    ['an unknown option', { topK: 1 }, 'UNKNOWN_OPTION'],
    ['no backend', { backend: undefined }, 'INVALID_ARGUMENT'],
  ])('refuses %s', async (_, options, code) => {
    expect(await outcome(() => loadModel(bytes, { backend, ...options }))).toBe(code);
  });

  it.each<[string, () => Promise<unknown>, RegExp]>([
    ['samples without a posterior', () => model.classify(picture(3), { samples: 2 }), /Import \{ posteriorSampling \}/],
    ['text of a classifier', async () => model.generate('once'), /is a vit, which cannot generate text/],
    ['topK of 0', () => model.classify(picture(3), { topK: 0 }), /topK/],
  ])('refuses %s', async (_, run, message) => {
    await expect(run()).rejects.toThrow(message);
  });

  it('refuses weights that are not finite, by the class', async () => {
    const tensors = await initialTensors(smallVit());
    new Float32Array(tensors['head.bias']!.data.buffer)[1] = Number.NaN;
    const { metadata } = parseSafetensors(bytes);
    const own = await loadModel(serializeSafetensors({ tensors, metadata: { ...metadata } as never }), { backend });
    expect(await outcome(() => own.classify(picture(3)))).toBe('NON_FINITE');
  });
});
