import { createCpuBackend } from '@lmd/backends/cpu';
import { type Backend, createOperations, type EagerOperations, type NamedTensors, resolveOptions } from '@lmd/core';
import type { ExampleContext, Pictures } from '@lmd/example-shared';
import { type ClassHead, fullPrecision, imprintClass, type Vit, vit } from '@lmd/models';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { withoutClass } from './experiment/digits.js';
import { addNamedClass, normalizedMean, oneShot, oneShotOptionTable } from './index.js';

const context: Pick<ExampleContext, 'show' | 'report' | 'signal'> = {
  show: async () => {},
  report: async () => {},
  signal: new AbortController().signal,
};

/** Ten classes of 8×8 images: a bright row or column on noise. */
function bars(perClass: number): Pictures {
  const labels = Int32Array.from({ length: 10 * perClass }, (_, i) => i % 10);
  const images = Float32Array.from({ length: 64 * labels.length }, (_, i) => {
    const [example, pixel] = [Math.floor(i / 64), i % 64];
    const line = labels[example]! < 5 ? Math.floor(pixel / 8) : pixel % 8;
    return line === 1 + (labels[example]! % 5) ? 2.5 : ((37 * (example + 1) * (pixel + 3)) % 60) / 80;
  });
  return { images, labels, pixels: 64 };
}

let backend: Backend;
let ops: EagerOperations;
beforeAll(async () => {
  backend = await createCpuBackend({ threads: 1 });
  ops = createOperations(backend);
});
afterAll(() => backend.close?.());

const columnOf = ({ weight, bias }: ClassHead, label: number) =>
  Array.from({ length: weight.length / bias.length }, (_, i) => weight[i * bias.length + label]!);

const head: ClassHead = { weight: Float32Array.of(3, 0, 4, 0, 0, 2), bias: Float32Array.of(1, -1) };

describe('addNamedClass', () => {
  let model: Vit;
  let weights: NamedTensors;
  beforeAll(() => {
    model = vit({ imageSize: 8, patchSize: 2, channels: 1, classes: 3, width: 32, depth: 1, heads: 2 });
    weights = model.initialize(ops, 1);
  });
  afterAll(() => ops.dispose(weights));

  const classifier = () => ({ model, weights, classNames: ['a', 'b', 'c'] });
  const images = (...shape: number[]) => ops.randomNormal(shape, { seed: 1, stream: 0, step: 0, sample: 0 });

  it('gives the new row exactly the quantiles of all weights, and keeps the bits of the old logits', async () => {
    const pictures = images(4, 8, 8, 1);
    const added = await addNamedClass(ops, classifier(), 'd', pictures);
    expect(added.classNames).toEqual(['a', 'b', 'c', 'd']);
    const read = async (from: NamedTensors) => ({
      weight: (await ops.read(from['head.weight']!)) as Float32Array,
      bias: (await ops.read(from['head.bias']!)) as Float32Array,
    });
    const [old, wider] = [await read(weights), await read(added.weights)];
    const sorted = [...old.weight].sort((a, b) => a - b);
    // The quantile at (i + ½) / 32 of 96 values is element ⌊3·(i + ½)⌋ in order.
    const quantiles = Array.from({ length: 32 }, (_, i) => sorted[3 * i + 1]!);
    expect(columnOf(wider, 3).sort((a, b) => a - b)).toEqual(quantiles);
    const logits = async (one: Vit, own: NamedTensors) => {
      const key = { seed: 0, step: 0, sample: 0 };
      const output = one.forward(ops, own, pictures, { training: false, precision: fullPrecision, key });
      const values = [...(await ops.read(output))];
      ops.dispose(output);
      return values;
    };
    const [before, after] = [await logits(model, weights), await logits(added.model, added.weights)];
    expect(after.filter((_, i) => i % 4 !== 3)).toEqual(before);
    ops.dispose(added.weights);
    ops.dispose(pictures);
  });

  it.each<[string, string, number[], string, RegExp]>([
    [
      'a class that exists',
      'b',
      [2, 8, 8, 1],
      'INVALID_ARGUMENT',
      /className "b" is a class.*another name than a, b, c/,
    ],
    ['no picture', 'd', [0, 8, 8, 1], 'INVALID_ARGUMENT', /images has 0 pictures\. Pass at least one picture of "d"/],
    ['pictures of another size', 'd', [2, 6, 6, 1], 'SHAPE_MISMATCH', /shape \[2,6,6,1\].*\[batch, 8, 8, 1\]/],
  ])('refuses %s', async (_, name, shape, code, message) => {
    const before = ops.memory().tensors;
    const pictures = ops.zeros(shape);
    await expect(addNamedClass(ops, classifier(), name, pictures)).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message),
    });
    ops.dispose(pictures);
    expect(ops.memory().tensors).toBe(before);
  });
});

describe('normalizedMean', () => {
  it('takes the direction of the mean of unit features, with length 1 or the mean length of the rows', () => {
    const features = [Float32Array.of(2, 0, 0), Float32Array.of(0, 0, 5)];
    // The rows have lengths √(9 + 16) and 2.
    for (const [size, length] of [
      ['unit', 1],
      ['rows', 3.5],
    ] as const) {
      const wider = normalizedMean(head, features, size);
      const side = length / Math.SQRT2;
      for (const [i, value] of [side, 0, side].entries()) expect(columnOf(wider, 2)[i]).toBeCloseTo(value, 6);
      expect([columnOf(wider, 0), columnOf(wider, 1)]).toEqual([columnOf(head, 0), columnOf(head, 1)]);
      expect([...wider.bias]).toEqual([1, -1, 0]);
    }
  });

  it('gives features without a direction no weight, and refuses what DONE refuses', () => {
    expect(columnOf(normalizedMean(head, [new Float32Array(3)]), 2)).toEqual([0, 0, 0]);
    expect(() => normalizedMean(head, [])).toThrow(/no features/);
    expect(() => normalizedMean(head, [new Float32Array(4)])).toThrow(/4 values, the head 3 inputs/);
  });
});

describe('withoutClass', () => {
  it('makes the class the last one, and moves the later ones down', () => {
    const all = bars(2);
    const { old, added } = withoutClass(all, 3);
    expect([...old.labels.subarray(0, 9)]).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
    expect([old.labels.length, [...added.labels]]).toEqual([18, [9, 9]]);
    expect([...added.images.subarray(64)]).toEqual([...all.images.subarray(13 * 64, 14 * 64)]);
  });

  it('refuses a class that no picture has, and one that every picture has', () => {
    expect(() => withoutClass(bars(1), 11)).toThrow(/class is 11: no picture is of this class/);
    const one = { images: new Float32Array(4), labels: Int32Array.of(0), pixels: 4 };
    expect(() => withoutClass(one, 0)).toThrow(/class is 0: every picture is of this class/);
  });
});

describe('oneShot', () => {
  it('adds the class to a trained model by both methods, from 1 to K pictures', async () => {
    const options = { class: 4, pictures: 2, draws: 3, steps: 60, seed: 1 };
    const data = { train: bars(30), test: bars(5) };
    const measured = await oneShot(ops, data, options, context);
    expect(measured.results.map(({ method, pictures }) => `${method} ${pictures}`)).toEqual([
      'DONE 1',
      'DONE 2',
      'imprinting 1',
      'imprinting 2',
      'imprinting, scaled 1',
      'imprinting, scaled 2',
    ]);
    expect(measured.before.oldAccuracy).toBeGreaterThan(0.9);
    for (const { newAccuracy, oldAccuracy, oldLoss } of measured.results) {
      expect(newAccuracy).toBeGreaterThan(0.5);
      expect(oldAccuracy).toBeGreaterThan(0.5);
      // Another logit can only raise the loss of the others.
      expect(oldLoss).toBeGreaterThan(measured.before.oldLoss);
    }
    expect(measured.addedBytes).toBe(4 * 65);
    expect(await oneShot(ops, data, options, context)).toEqual(measured);
    expect(ops.memory().tensors).toBe(0);
  });

  it.each([
    ['a K of 0', { pictures: 0 }, /pictures is 0\. Use an integer/],
    ['a class beyond the digits', { class: 10 }, /class is 10\. Use an integer/],
  ])('refuses %s', (_, options, message) => {
    expect(() => resolveOptions('one-shot', oneShotOptionTable, options)).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT', message: expect.stringMatching(message) }),
    );
  });

  it('knows the class of the features from which it was added', () => {
    const features = [Float32Array.of(1, -2, 3), Float32Array.of(1.5, -2, 2)];
    for (const rule of [imprintClass, normalizedMean]) {
      const wider = rule(head, features);
      const logit = columnOf(wider, 2).reduce((sum, w, i) => sum + w * features[0]![i]!, 0);
      expect(logit).toBeGreaterThan(0);
    }
  });
});
