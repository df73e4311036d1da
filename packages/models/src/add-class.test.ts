import { createCpuBackend } from '@lmd/backends/cpu';
import { createOperations } from '@lmd/core';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addClass, imprintClass, precisionPreset, vit } from './index.js';

const values = (length: number) =>
  fc.array(fc.float({ noNaN: true, min: -4, max: 4 }), { minLength: length, maxLength: length });

describe('imprintClass', () => {
  it('gives the new class the quantiles of all weights, in the order of the mean features', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 9 }).chain((inputs) =>
          fc.integer({ min: 1, max: 5 }).chain((classes) =>
            fc.record({
              classes: fc.constant(classes),
              weight: values(inputs * classes),
              bias: values(classes),
              features: fc.array(values(inputs), { minLength: 1, maxLength: 3 }),
            }),
          ),
        ),
        ({ classes, weight, bias, features }) => {
          const head = { weight: Float32Array.from(weight), bias: Float32Array.from(bias) };
          const inputs = weight.length / classes;
          const wider = imprintClass(
            head,
            features.map((one) => Float32Array.from(one)),
          );
          const at = (input: number, label: number) => wider.weight[input * (classes + 1) + label]!;
          const column = Array.from({ length: inputs }, (_, input) => at(input, classes));
          // `a - b` leaves -0 and 0 in their order, a typed array's own sort does not.
          const sorted = [...head.weight.slice().sort()];
          const quantiles = Array.from({ length: inputs }, (_, i) => sorted[Math.floor((i + 0.5) * classes)]);
          expect([...Float32Array.from(column).sort()]).toEqual(quantiles);
          const mean = column.map((_, i) => features.reduce((sum, one) => sum + Math.fround(one[i]!), 0));
          for (const [i, a] of mean.entries()) {
            for (const [j, b] of mean.entries()) if (a < b) expect(column[i]).toBeLessThanOrEqual(column[j]!);
          }
          for (const [i, value] of head.weight.entries()) {
            expect(at(Math.floor(i / classes), i % classes)).toBe(value);
          }
          expect([...wider.bias.subarray(0, classes)]).toEqual([...head.bias]);
        },
      ),
      { numRuns: 100 },
    );
  });

  it('takes the median of the biases', () => {
    const biasOf = (bias: number[]) =>
      imprintClass({ weight: new Float32Array(2 * bias.length), bias: Float32Array.from(bias) }, [new Float32Array(2)])
        .bias[bias.length];
    expect([biasOf([3, 1, 2]), biasOf([4, 1, 2, 3]), biasOf([7])]).toEqual([2, 2.5, 7]);
  });

  it('refuses no features, and those of another width', () => {
    const head = { weight: new Float32Array(6), bias: new Float32Array(2) };
    expect(() => imprintClass(head, [])).toThrow(/no features/);
    expect(() => imprintClass(head, [new Float32Array(4)])).toThrow(/4 values, the head 3 inputs/);
  });
});

describe('addClass', () => {
  let backend: Awaited<ReturnType<typeof createCpuBackend>>;
  beforeAll(async () => {
    backend = await createCpuBackend({ threads: 1 });
  });
  afterAll(() => backend.close?.());

  it.each(['fp32', 'mxfp6_e2m3'])(
    'keeps the bits of the other logits, and knows the new class, in %s',
    async (format) => {
      const ops = createOperations(backend);
      const model = vit({ imageSize: 8, patchSize: 4, channels: 1, classes: 10, width: 32, depth: 1, heads: 2 });
      const weights = await model.initialize(ops, 5);
      const images = ops.randomNormal([3, 8, 8, 1], { seed: 1, stream: 0, step: 0, sample: 0 });
      const precision = precisionPreset(format);
      const before = backend.memory().tensors;
      const added = await addClass(ops, model, weights, images, precision);
      expect(added.model.config.classes).toBe(11);
      const context = { training: false, precision, key: { seed: 0, step: 0, sample: 0 } };
      const logits = async (one: typeof model, own: typeof weights) => {
        const output = one.forward(ops, own, images, context);
        const read = [...(await ops.read(output))];
        ops.dispose(output);
        return read;
      };
      const [old, wider] = [await logits(model, weights), await logits(added.model, added.weights)];
      for (let row = 0; row < 3; row += 1) {
        const own = wider.slice(row * 11, row * 11 + 11);
        expect(own.slice(0, 10)).toEqual(old.slice(row * 10, row * 10 + 10));
        expect(own.indexOf(Math.max(...own))).toBe(10);
      }
      ops.dispose(added.weights);
      expect(backend.memory().tensors).toBe(before);
      ops.dispose(weights);
      ops.dispose(images);
    },
  );

  it('refuses images of another size', async () => {
    const ops = createOperations(backend);
    const model = vit({ imageSize: 8, patchSize: 4, channels: 1, classes: 3, width: 32, depth: 1, heads: 2 });
    const weights = await model.initialize(ops, 5);
    const images = ops.zeros([2, 6, 6, 1]);
    await expect(addClass(ops, model, weights, images)).rejects.toThrow(/shape \[2,6,6,1\]/);
    ops.dispose(weights);
    ops.dispose(images);
  });
});
