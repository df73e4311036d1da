import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseSafetensors, toFloat32Array } from '@lmd/safetensors';
import { beforeAll, describe, expect, it } from 'vitest';
import { writeGpt2Folder, writeTensors } from './foreign.js';
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

  it('writes the layout of timm in one file, with the config.json that timm builds it from', async () => {
    const { files } = await json<{ files: string[] }>('export', 'mean', '--layout', 'timm', '--out', 'timm');
    expect(files).toEqual(['model.safetensors', 'config.json']);
    expect(readdirSync(at('timm')).sort()).toEqual([...files].sort());
    expect([...parseSafetensors(readFileSync(at('timm', files[0]!))).tensors.keys()]).toContain(
      'blocks.0.norm1.weight',
    );
    const { model_args } = JSON.parse(readFileSync(at('timm', 'config.json'), 'utf8'));
    expect(model_args).toMatchObject({ global_pool: 'avg', class_token: false });
    const evaluated = await json<{ results: { testLoss: number }[] }>('evaluate', 'mean', '--model', 'timm');
    const own = await json<{ results: { testLoss: number }[] }>('evaluate', 'mean');
    expect(evaluated.results[0]!.testLoss).toBeCloseTo(own.results[0]!.testLoss, 6);
  });

  it('writes the tokenizer of a model of characters, which generate reads again', async () => {
    const { files } = await json<{ files: string[] }>('export', 'gpt2', '--out', 'characters');
    expect(files).toEqual([
      ...['model.safetensors', 'config.json', 'generation_config.json'],
      ...['tokenizer.json', 'tokenizer_config.json'],
    ]);
    const { vocab } = JSON.parse(readFileSync(at('characters', 'tokenizer.json'), 'utf8')).model;
    const { eos_token_id } = JSON.parse(readFileSync(at('characters', 'generation_config.json'), 'utf8'));
    expect(vocab['<|endoftext|>']).toBe(eos_token_id);
    const words = ['--prompt', 'Row', '--max-tokens', '6', '--seed', '3'];
    const tokens = async (model: string) => (await json<{ tokens: number[] }>('generate', model, ...words)).tokens;
    expect(await tokens('characters')).toEqual(await tokens('gpt2'));
  });

  it('does not take a small vocabulary of another library for GPT-2 tokens', async () => {
    writeGpt2Folder(at('unknown'), { vocabulary: 30 });
    const { code, stderr } = await lmd(['generate', 'unknown', '--prompt', 'Row'], folder);
    expect(stderr).toContain('but its tokenizer (gpt2) has 50257');
    expect(code).toBe(2);
  });

  it('writes ONNX as transformers.js loads it', async () => {
    const { files, bytes } = await json<{ files: string[]; bytes: number }>(
      'export',
      'gpt2',
      '--layout',
      'onnx',
      '--out',
      'onnx',
    );
    expect(files).toEqual([
      ...['onnx/model.onnx', 'config.json', 'generation_config.json', 'tokenizer.json', 'tokenizer_config.json'],
    ]);
    expect(readFileSync(at('onnx', 'onnx', 'model.onnx'))).toHaveLength(bytes);
    const config = JSON.parse(readFileSync(at('onnx', 'config.json'), 'utf8'));
    expect(config).toMatchObject({ model_type: 'gpt2', 'transformers.js_config': { dtype: 'fp32' } });
    const plain = await json<{ bytes: number }>('export', 'gpt2', '--layout', 'onnx', '--no-cache', '--out', 'plain');
    expect(plain.bytes).toBeLessThan(bytes);
    await json('export', 'mean', '--layout', 'onnx', '--out', 'onnx-mean');
    expect(existsSync(at('onnx-mean', 'onnx', 'model.onnx'))).toBe(true);
  });

  it('carries class names and preprocessing from our files to those of others, and back', async () => {
    const { tensors, metadata } = parseSafetensors(readFileSync(at('vit', 'model.safetensors')));
    const { imageSize: size, channels, classes } = JSON.parse(metadata.config!);
    const classNames = Array.from({ length: classes }, (_, i) => `class ${i}`);
    const preprocessing = {
      ...{ height: size, width: size, channels, fit: 'crop', cropFraction: 0.875, interpolation: 'bicubic' },
      ...{ mean: Array(channels).fill(0.1307), standardDeviation: Array(channels).fill(0.3081), orientation: 'exif' },
    };
    const knows = { classNames: JSON.stringify(classNames), preprocessing: JSON.stringify(preprocessing) };
    writeTensors(at('knows.safetensors'), Object.fromEntries(tensors), { ...metadata, ...knows });
    for (const layout of ['transformers', 'timm', 'lmd']) {
      await json('export', 'knows.safetensors', '--layout', layout, '--out', `knows-${layout}`);
      await json('export', `knows-${layout}`, '--layout', 'lmd', '--out', `from-${layout}`);
      const back = parseSafetensors(readFileSync(at(`from-${layout}`, 'model.safetensors'))).metadata;
      expect(JSON.parse(back.classNames!)).toEqual(classNames);
      const orientation = layout === 'timm' ? 'stored' : 'exif';
      expect(JSON.parse(back.preprocessing!), layout).toEqual({ ...preprocessing, orientation });
    }
    expect(readdirSync(at('knows-transformers')).sort()).toEqual([
      ...['config.json', 'model.safetensors', 'preprocessor_config.json'],
    ]);
    writeTensors(at('broken.safetensors'), Object.fromEntries(tensors), { ...metadata, classNames: '[1]' });
    const { code, stderr } = await lmd(['export', 'broken.safetensors', '--out', 'from-broken'], folder);
    expect([code, stderr]).toEqual([1, expect.stringContaining('must be a list of names')]);
    expect(readdirSync(folder).filter((name) => name.includes('from-broken'))).toEqual([]);
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
    ['a folder that is there', ['vit', '--out', 'vit'], 2, 'already exists. Use the path of a new folder.'],
    ['a file that is there', ['vit', '--out', 'text.json'], 2, 'already exists.'],
    ['a size that is none', ['vit', '--out', 'x', '--shard-size', 'small'], 2, '--shard-size small is not allowed'],
    [
      'a layout that is not there',
      ['vit', '--out', 'x', '--layout', 'keras'],
      2,
      'Allowed choices are transformers, timm, lmd, onnx, peft.',
    ],
    [
      'shards of ONNX',
      ['vit', '--out', 'x', '--layout', 'onnx', '--shard-size', '1MB'],
      2,
      '--shard-size and --layout',
    ],
    ['a cache elsewhere', ['vit', '--out', 'x', '--no-cache'], 2, '--no-cache and --layout transformers'],
    ['a model that the layout has not', ['mean', '--out', 'x'], 1, 'does not support'],
    ['a model that is not there', ['nothing', '--out', 'x'], 1, 'does not exist.'],
  ])('refuses %s', async (_, words, code, message) => {
    const outcome = await lmd(['export', ...words], folder);
    expect(outcome.stderr).toContain(message);
    expect(outcome.code).toBe(code);
    expect(existsSync(at('x'))).toBe(false);
    expect(readdirSync(folder).filter((name) => name.startsWith('.'))).toEqual([]);
  });
});
