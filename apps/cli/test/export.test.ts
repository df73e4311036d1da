import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseSafetensors, toFloat32Array } from '@lmd/safetensors';
import { beforeAll, describe, expect, it } from 'vitest';
import { lmd, temporaryFolder, tiny } from './lmd.js';

const folder = temporaryFolder();
const at = (...path: string[]) => join(folder, ...path);
const json = async <T>(...words: string[]) => {
  const { stdout, stderr } = await lmd([...words, '--json'], folder);
  expect(stderr).toBe('');
  return JSON.parse(stdout) as T;
};

const text = {
  steps: 4,
  batchSize: 4,
  data: { kind: 'tokens', folder: 'tokens', length: 16 },
  model: { kind: 'gpt2', width: 32, depth: 2, heads: 2 },
  optimizers: [{ name: 'adamw', rule: 'adamw' }],
};
const vit = [...tiny, 'model.pooling=classToken', '--only', 'adamw'];

beforeAll(async () => {
  writeFileSync(at('rhymes.txt'), Array.from({ length: 100 }, (_, i) => `Row ${i}, row, row.`).join('@'));
  writeFileSync(at('text.json'), JSON.stringify(text));
  for (const words of [
    ['data', 'prepare', 'rhymes.txt', '--separator', '@', '--tokenizer', 'characters', '--out', 'tokens'],
    ['train', 'text.json', '--out', 'gpt2'],
    ['train', ...vit, '--out', 'vit'],
    ['train', ...tiny, '--only', 'adamw', '--out', 'mean'],
    ['export', 'gpt2', '--out', 'sharded', '--layout', 'lmd', '--shard-size', '20KB'],
    ['export', 'vit', '--out', 'foreign', '--shard-size', '4KB'],
  ]) {
    expect(await lmd(words, folder), words.join(' ')).toMatchObject({ code: 0, stderr: '' });
  }
});

describe('lmd export', () => {
  it('writes the layout of transformers, which the command reads again', async () => {
    const names = readdirSync(at('foreign')).sort();
    expect(names.length).toBeGreaterThan(4);
    expect(names[0]).toBe('config.json');
    expect(names.at(-1)).toBe('model.safetensors.index.json');
    expect(JSON.parse(readFileSync(at('foreign', 'config.json'), 'utf8'))).toMatchObject({ model_type: 'vit' });
    const index = JSON.parse(readFileSync(at('foreign', 'model.safetensors.index.json'), 'utf8'));
    expect(index.weight_map).toHaveProperty(['vit.embeddings.cls_token']);
    const evaluated = await json<{ results: { testLoss: number }[] }>('evaluate', 'vit', '--model', 'foreign');
    const own = await json<{ results: { testLoss: number }[] }>('evaluate', 'vit');
    expect(evaluated.results[0]!.testLoss).toBeCloseTo(own.results[0]!.testLoss, 6);
    // As the start of another run: at a learning rate of 0, they are what that run ends with.
    const still = ['optimizers.adamw.learningRate=0', 'optimizers.adamw.weightDecay=0', 'model.weights=foreign'];
    expect(await lmd(['train', ...vit, ...['--set', ...still], '--out', 'again'], folder)).toMatchObject({ code: 0 });
    const tensors = (run: string) => parseSafetensors(readFileSync(at(run, 'model.safetensors'))).tensors;
    for (const [name, tensor] of tensors('vit')) {
      expect(toFloat32Array(tensors('again').get(name)!), name).toEqual(toFloat32Array(tensor));
    }
  });

  it('writes the layout of timm in one file, without a config.json', async () => {
    const { files } = await json<{ files: string[] }>('export', 'mean', '--layout', 'timm', '--out', 'timm');
    expect(files).toEqual(['model.safetensors']);
    expect(readdirSync(at('timm'))).toEqual(files);
    expect([...parseSafetensors(readFileSync(at('timm', files[0]!))).tensors.keys()]).toContain(
      'blocks.0.norm1.weight',
    );
  });

  it('does not take a character model of another library for one of GPT-2 tokens', async () => {
    expect(await lmd(['export', 'gpt2', '--out', 'characters'], folder)).toMatchObject({ code: 0, stderr: '' });
    const { code, stderr } = await lmd(['generate', 'characters', '--prompt', 'Row'], folder);
    expect(stderr).toContain('but its tokenizer (gpt2) has 50257');
    expect(code).toBe(2);
  });

  it('splits our own layout, from which text is generated as from one file', async () => {
    expect(readdirSync(at('sharded')).filter((name) => /-of-\d+\.safetensors$/.test(name)).length).toBeGreaterThan(3);
    const words = ['--prompt', 'Row', '--max-tokens', '6', '--seed', '3'];
    const tokens = async (model: string) => (await json<{ tokens: number[] }>('generate', model, ...words)).tokens;
    expect(await tokens('sharded')).toEqual(await tokens('gpt2'));
    expect(await tokens('sharded/model.safetensors.index.json')).toEqual(await tokens('gpt2'));
    const { kind, tensors } = await json<{ kind: string; tensors: { name: string }[] }>(
      'inspect',
      'sharded/model.safetensors.index.json',
    );
    expect(kind).toBe('model');
    expect(tensors.map(({ name }) => name)).toContain('tokenEmbedding.weight');
    expect(await lmd(['quantize', 'sharded', '--format', 'mxfp6_e3m2'], folder)).toMatchObject({ code: 0 });
    expect(await tokens('sharded/model.mxfp6_e3m2.safetensors')).toHaveLength(6);
  });

  it('gives packed weights back as values', async () => {
    expect(await lmd(['quantize', 'vit', '--format', 'mxfp8_e4m3'], folder)).toMatchObject({ code: 0 });
    await json('export', 'vit/model.mxfp8_e4m3.safetensors', '--layout', 'lmd', '--out', 'values');
    const { tensors, metadata } = parseSafetensors(readFileSync(at('values', 'model.safetensors')));
    expect(metadata).not.toHaveProperty('packed');
    expect(tensors.get('head.weight')!.dtype).toBe('F32');
  });

  it('says which file of several is damaged, cut or missing, and writes nothing from it', async () => {
    const path = at('sharded', readdirSync(at('sharded')).find((name) => name.startsWith('model-00002-of'))!);
    const whole = readFileSync(path);
    const header = Buffer.from(whole);
    header[20] = 0;
    for (const [bytes, message] of [
      [whole.subarray(0, whole.length - 5), 'model-00002-of'],
      [header, 'model-00002-of'],
    ] as const) {
      writeFileSync(path, bytes);
      for (const words of [
        ['generate', 'sharded'],
        ['train', 'text.json', '--set', 'model.weights=sharded', '--out', 'from-damaged'],
        ['export', 'sharded', '--out', 'of-damaged'],
        ['quantize', 'sharded', '--format', 'mxint8', '--out', 'damaged.safetensors'],
        ['inspect', 'sharded/model.safetensors.index.json'],
      ]) {
        const { code, stdout } = await lmd([...words, '--json'], folder);
        const error = JSON.parse(stdout.trim().split('\n').at(-1)!);
        expect([words[0], code, error.code]).toEqual([words[0], 1, 'DATA_CORRUPT']);
        expect(error.message).toContain(message);
      }
      expect(existsSync(at('of-damaged'))).toBe(false);
      expect(existsSync(at('damaged.safetensors'))).toBe(false);
      expect(existsSync(at('from-damaged'))).toBe(false);
    }
    writeFileSync(path, whole);
  });

  it.each<[string, string[], number, string]>([
    ['a folder with something in it', ['vit', '--out', 'vit'], 1, 'vit'],
    ['a size that is none', ['vit', '--out', 'x', '--shard-size', 'small'], 2, '--shard-size small is not allowed'],
    [
      'a layout that is not there',
      ['vit', '--out', 'x', '--layout', 'keras'],
      2,
      'Allowed choices are transformers, timm, lmd, peft.',
    ],
    ['a model that the layout has not', ['mean', '--out', 'x'], 1, 'does not support'],
    ['a model that is not there', ['nothing', '--out', 'x'], 1, 'does not exist.'],
  ])('refuses %s', async (_, words, code, message) => {
    const outcome = await lmd(['export', ...words], folder);
    expect(outcome.stderr).toContain(message);
    expect(outcome.code).toBe(code);
    expect(existsSync(at('x'))).toBe(false);
  });
});
