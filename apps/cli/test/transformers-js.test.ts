import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { createReferenceBackend } from '@lmd/backends/reference';
import { createOperations } from '@lmd/core';
import { fullPrecision, vit } from '@lmd/models';
import { parseSafetensors, toFloat32Array } from '@lmd/safetensors';
import { beforeAll, describe, expect, it } from 'vitest';
import { writeTensors } from './foreign.js';
import { lmd, temporaryFolder, tiny } from './lmd.js';

/** What these tests use of transformers.js. */
interface TransformersJs {
  readonly env: { localModelPath: string; allowRemoteModels: boolean };
  pipeline(task: 'image-classification', model: string): Promise<Classifier>;
  pipeline(task: 'text-generation', model: string): Promise<Generator>;
  readonly RawImage: new (data: Uint8ClampedArray, width: number, height: number, channels: number) => unknown;
  readonly AutoTokenizer: { from_pretrained(model: string): Promise<{ encode(text: string): number[] }> };
}
type Classifier = (image: unknown, options: { top_k: number }) => Promise<readonly { label: string; score: number }[]>;
type Generator = (
  text: string,
  options: { max_new_tokens: number; do_sample: boolean },
) => Promise<readonly { generated_text: string }[]>;

const engine = process.env.LMD_TRANSFORMERSJS;
const folder = temporaryFolder();
const at = (...path: string[]) => join(folder, ...path);
const run = async (...words: string[]) => {
  const { stdout, stderr, code } = await lmd([...words, '--json'], folder);
  expect([code, stderr], words.join(' ')).toEqual([0, '']);
  return stdout.trim().split('\n').at(-1)!;
};

const sample = "It's  a naïve 😀 test:\n\n1234 don't… ünïcode\tend ";
const text = {
  steps: 4,
  batchSize: 4,
  data: { kind: 'tokens', folder: 'tokens', length: 16 },
  model: { kind: 'gpt2', width: 32, depth: 2, heads: 2 },
  optimizers: [{ name: 'adamw', rule: 'adamw' }],
};

if (engine === undefined) {
  it.skip('transformers.js: LMD_TRANSFORMERSJS names none; node scripts/native-tests.mjs installs it', () => {});
} else {
  describe('transformers.js', () => {
    let transformers: TransformersJs;

    beforeAll(async () => {
      transformers = (await import(
        pathToFileURL(join(engine, 'dist', 'transformers.node.mjs')).href
      )) as TransformersJs;
      transformers.env.localModelPath = folder;
      transformers.env.allowRemoteModels = false;
      writeFileSync(at('rhymes.txt'), Array.from({ length: 100 }, (_, i) => `Row ${i}, row, row.`).join('@'));
      writeFileSync(at('text.json'), JSON.stringify(text));
      const prepare = ['data', 'prepare', 'rhymes.txt', '--separator', '@', '--out', 'tokens'];
      await run(...prepare, '--tokenizer', 'characters');
      await run('train', 'text.json', '--out', 'run');
      await run('export', 'run', '--layout', 'onnx', '--out', 'characters');
      await run(...prepare.slice(0, -1), 'gpt2-tokens');
      await run('train', 'text.json', '--set', 'data.folder=gpt2-tokens', 'data.length=8', '--out', 'gpt2-run');
      await run('export', 'gpt2-run', '--layout', 'onnx', '--out', 'gpt2');
      await run('train', ...tiny, '--only', 'adamw', '--out', 'images');
    });

    it.each([
      ['characters', 'run'],
      ['gpt2', 'gpt2-run'],
    ])('generates the text of lmd with the tokenizer and the cache of the exported %s', async (model, trained) => {
      const generate = await transformers.pipeline('text-generation', model);
      const [{ generated_text }] = (await generate('Row', { max_new_tokens: 5, do_sample: false })) as [
        { generated_text: string },
      ];
      const words = ['generate', trained, '--prompt', 'Row', '--max-tokens', '5', '--temperature', '0'];
      const ours: { text: string } = JSON.parse(await run(...words));
      expect(ours.text.length).toBeGreaterThan(2);
      expect(generated_text).toBe(`Row${ours.text}`);
    });

    it("has the tokens of GPT-2's tokenizer", async () => {
      const { gpt2Tokenizer } = await import('@lmd/data/text');
      const { encode } = await transformers.AutoTokenizer.from_pretrained('gpt2').then((tokenizer) => ({
        encode: (value: string) => tokenizer.encode(value),
      }));
      expect(encode(sample)).toEqual([...(await gpt2Tokenizer()).encode(sample)]);
    });

    it('classifies by the names, the preprocessing and the weights of the exported model', async () => {
      const { tensors, metadata } = parseSafetensors(readFileSync(at('images', 'model.safetensors')));
      const config = JSON.parse(metadata.config!);
      const { imageSize: size, channels, classes } = config;
      const classNames = Array.from({ length: classes }, (_, i) => `class ${i}`);
      const preprocessing = {
        ...{ height: size, width: size, channels, fit: 'crop', cropFraction: 1, interpolation: 'bicubic' },
        ...{ mean: Array(channels).fill(0.25), standardDeviation: Array(channels).fill(0.5), orientation: 'exif' },
      };
      const knows = { classNames: JSON.stringify(classNames), preprocessing: JSON.stringify(preprocessing) };
      writeTensors(at('knows.safetensors'), Object.fromEntries(tensors), { ...metadata, ...knows });
      await run('export', 'knows.safetensors', '--layout', 'onnx', '--out', 'vit');

      // Of the model's size, so that nothing is resized.
      const pixels = Uint8ClampedArray.from({ length: size * size * channels }, (_, i) => (i * 37) % 256);
      const classify = await transformers.pipeline('image-classification', 'vit');
      const found = await classify(new transformers.RawImage(pixels, size, size, channels), { top_k: classes });

      const ops = createOperations(createReferenceBackend());
      const weights = Object.fromEntries(
        [...tensors].map(([name, tensor]) => [name, ops.fromData(toFloat32Array(tensor), tensor.shape)]),
      );
      const images = ops.fromData(
        Float32Array.from(pixels, (byte) => (byte / 255 - 0.25) / 0.5),
        [1, size, size, channels],
      );
      const context = { training: false, precision: fullPrecision, key: { seed: 0, step: 0, sample: 0 } };
      const probabilities = await ops.read(ops.softmax(vit(config).forward(ops, weights, images, context)));
      expect(found).toHaveLength(classes);
      for (const { label, score } of found) {
        expect(Math.abs(score - probabilities[classNames.indexOf(label)]!), label).toBeLessThan(1e-5);
      }
    });
  });
}
