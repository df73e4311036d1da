import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gpt2, gpt2Preset, type PretrainedModel, vit, vitPreset } from '@lmd/models';
import { afterAll, describe, expect, it } from 'vitest';
import { exportOnnx } from '../src/index.js';
import { loadOnnxruntime, type OrtTensor, transformersJsFolder } from './engine.js';
import { bytesOf, createOps, inputsOf, largestDifference, logitsOf, models, weightsOf } from './models.js';

if (transformersJsFolder === undefined) {
  it.skip('onnxruntime: LMD_TRANSFORMERSJS names no engine; node scripts/native-tests.mjs installs one', () => {});
} else {
  const ort = await loadOnnxruntime();
  const ops = createOps();
  const folder = mkdtempSync(join(tmpdir(), 'lmd-onnx-'));
  afterAll(() => rmSync(folder, { recursive: true, maxRetries: 5 }));

  const integers = (values: readonly number[], dims: number[]) =>
    new ort.Tensor('int64', BigInt64Array.from(values, BigInt), dims);

  /** The largest difference of the logits, and the largest logit. */
  async function compare(model: PretrainedModel, cache?: boolean, maxFileBytes?: number) {
    const weights = model.config.width > 8 ? model.initialize(ops, 3) : weightsOf(ops, model);
    const options = {
      ...(cache === undefined ? {} : { cache }),
      ...(maxFileBytes === undefined ? {} : { maxFileBytes }),
    };
    const files = exportOnnx(ops, model, weights, options);
    for (const file of files) writeFileSync(join(folder, file.name), await bytesOf(file));
    const session = await ort.InferenceSession.create(join(folder, 'model.onnx'));
    const expected = await logitsOf(ops, model, weights);
    const { shape, data } = inputsOf(model);
    let logits: ArrayLike<number>;
    if (model.architecture === 'vit') {
      const outputs = await session.run({ pixel_values: new ort.Tensor('float32', data as Float32Array, shape) });
      logits = outputs.logits!.data as Float32Array;
    } else if (!cache) {
      logits = (await session.run({ input_ids: integers([...data], shape) })).logits!.data as Float32Array;
    } else logits = await withCache(session, model, [...data], shape as [number, number]);
    await session.release();
    return { difference: largestDifference(logits, expected), largest: Math.max(...expected.map(Math.abs)), files };
  }

  /** Two positions at first, then one at a time; the first text is padded on the left in the cache. */
  async function withCache(
    session: Awaited<ReturnType<typeof ort.InferenceSession.create>>,
    { config: { depth, heads, width, vocabularySize } }: Extract<PretrainedModel, { architecture: 'gpt2' }>,
    tokens: readonly number[],
    [batch, length]: readonly [number, number],
  ): Promise<Float32Array> {
    const pad = 1;
    const logits = new Float32Array(batch * length * vocabularySize);
    let past: { [name: string]: OrtTensor } = {};
    for (let layer = 0; layer < depth; layer++) {
      for (const which of ['key', 'value']) {
        const empty = new ort.Tensor('float32', new Float32Array(0), [batch, heads, 0, width / heads]);
        past[`past_key_values.${layer}.${which}`] = empty;
      }
    }
    for (let start = -pad; start < length; start = start < 0 ? 2 : start + 1) {
      const end = start < 0 ? 2 : start + 1;
      const rows = Array.from({ length: batch }, (_, row) => row);
      const columns = Array.from({ length: end - start }, (_, i) => start + i);
      const each = (value: (row: number, column: number) => number) =>
        rows.flatMap((row) => columns.map((column) => value(row, column)));
      const outputs = await session.run({
        input_ids: integers(
          each((row, column) => (column < 0 ? 7 : tokens[row * length + column]!)),
          [batch, columns.length],
        ),
        position_ids: integers(
          each((_, column) => Math.max(0, column)),
          [batch, columns.length],
        ),
        attention_mask: integers(
          rows.flatMap(() => Array.from({ length: end + pad }, (_, i) => (i < pad ? 0 : 1))),
          [batch, end + pad],
        ),
        ...past,
      });
      const given = outputs.logits!.data as Float32Array;
      for (const row of rows) {
        for (const [i, column] of columns.entries()) {
          if (column < 0) continue;
          const from = (row * columns.length + i) * vocabularySize;
          logits.set(given.subarray(from, from + vocabularySize), (row * length + column) * vocabularySize);
        }
      }
      past = Object.fromEntries(
        Object.entries(outputs)
          .filter(([name]) => name !== 'logits')
          .map(([name, value]) => [name.replace('present', 'past_key_values'), value]),
      );
    }
    return logits;
  }

  describe('onnxruntime', () => {
    it.each(Object.entries(models))('computes the logits of %s', async (_, { model, cache }) => {
      const { difference, largest } = await compare(model, cache);
      expect(largest).toBeGreaterThan(0.1);
      expect(difference).toBeLessThan(1e-6 * Math.max(1, largest));
    });

    it.each<[string, PretrainedModel, boolean | undefined]>([
      ['tiny', vit(vitPreset('tiny')), undefined],
      ['a GPT-2 of 128 × 4 with a cache', gpt2(gpt2Preset('char')), true],
      ['a GPT-2 of 128 × 4 without', gpt2(gpt2Preset('char')), false],
    ])('computes the logits of %s', async (_, model, cache) => {
      const { difference, largest } = await compare(model, cache);
      // Sums of 512 products in another order, in f32.
      expect(difference).toBeLessThan(1e-5 * Math.max(1, largest));
    });

    it('reads weights from files of their own', async () => {
      const { difference, files } = await compare(models.gpt2.model, false, 3000);
      expect(files.length).toBeGreaterThan(3);
      expect(difference).toBeLessThan(1e-6);
    });
  });
}
