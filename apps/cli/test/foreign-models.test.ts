import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseSafetensors, tensorFrom, toFloat32Array } from '@lmd/safetensors';
import { beforeAll, describe, expect, it } from 'vitest';
import { f32, type Tensors, writeGpt2Folder, writeTensors, writeTimmFolder } from './foreign.js';
import { lmd, temporaryFolder } from './lmd.js';

const folder = temporaryFolder();
const at = (...path: string[]) => join(folder, ...path);
const json = async <T>(...words: string[]) => {
  const { stdout, stderr } = await lmd([...words, '--json'], folder);
  expect(stderr).toBe('');
  return JSON.parse(stdout.trim().split('\n').at(-1)!) as T;
};
const axesOf = (file: string): Record<string, number> =>
  JSON.parse(parseSafetensors(readFileSync(at(file))).metadata.packed!).axes;
const tensorsOf = (file: string) => parseSafetensors(readFileSync(at(file))).tensors;

const text = {
  name: 'text',
  ...{ steps: 2, batchSize: 2, backend: 'cpu', precision: 'fp32' },
  data: { kind: 'tokens', folder: 'tokens', length: 8 },
  model: { kind: 'gpt2', weights: 'gpt2' },
  optimizers: [{ name: 'adamw', rule: 'adamw', learningRate: 0, weightDecay: 0 }],
  evaluation: { every: 2, batchSize: 4 },
};
const pictures = {
  ...text,
  name: 'pictures',
  data: { kind: 'synthetic', train: 8, validation: 4, test: 4, classes: 4, size: 8, channels: 1 },
  model: { kind: 'vit', weights: 'timm', heads: 2 },
};
const write = (file: string, configuration: object, changes: object = {}) =>
  writeFileSync(at(file), JSON.stringify({ ...configuration, ...changes }));

beforeAll(async () => {
  writeFileSync(at('rhymes.txt'), Array.from({ length: 60 }, (_, i) => `Row ${i}, row, row your boat.`).join('@'));
  await json('data', 'prepare', 'rhymes.txt', '--separator', '@', '--out', 'tokens');
  writeGpt2Folder(at('gpt2'), { vocabulary: 50257 });
  writeTimmFolder(at('timm'));
});

describe('lmd train from a model of another library', () => {
  it('takes every size from the files of a GPT-2, padding and all', async () => {
    const padded = { vocabulary: 50304, json: { activation_function: 'gelu', layer_norm_epsilon: 1e-3 } };
    writeGpt2Folder(at('padded'), padded);
    write('text.json', text, { model: { kind: 'gpt2', weights: 'padded' } });
    expect(await lmd(['train', 'text.json', '--out', 'run'], folder)).toMatchObject({ code: 0, stderr: '' });
    const { model } = JSON.parse(readFileSync(at('run', 'config.json'), 'utf8'));
    expect(model).toMatchObject({
      ...{ width: 8, depth: 1, heads: 2, mlpWidth: 32, contextLength: 16, vocabularySize: 50304 },
      ...{ gelu: 'none', layerNormEpsilon: 1e-3 },
    });
    const original = tensorsOf('padded/model.safetensors').get('transformer.wte.weight')!;
    expect(toFloat32Array(tensorsOf('run/model.safetensors').get('tokenEmbedding.weight')!)).toEqual(
      toFloat32Array(original),
    );
    const { tokens } = await json<{ tokens: number[] }>('generate', 'run', '--prompt', 'Row', '--max-tokens', '4');
    expect(Math.max(...tokens)).toBeLessThan(50257);
  });

  it('takes every size of a ViT of timm but the heads, which its name does not say at this width', async () => {
    write('pictures.json', pictures);
    expect(await lmd(['train', 'pictures.json', '--out', 'vit'], folder)).toMatchObject({ code: 0, stderr: '' });
    const { model } = JSON.parse(readFileSync(at('vit', 'config.json'), 'utf8'));
    expect(model).toMatchObject({
      patchSize: 4,
      width: 16,
      depth: 1,
      mlpWidth: 64,
      pooling: 'classToken',
      gelu: 'none',
    });
    write('headless.json', pictures, { model: { kind: 'vit', weights: 'timm' } });
    const { code, stderr } = await lmd(['train', 'headless.json', '--out', 'headless'], folder);
    expect([code, stderr]).toEqual([2, expect.stringContaining('model.heads is missing')]);
  });

  it.each([
    [text, { model: { ...text.model, width: 64 } }, 'model.width is 64, but '],
    [text, { model: { ...text.model, contextLength: 8 } }, 'model.contextLength is 8, but '],
    [text, { model: { ...text.model, preset: 'char' } }, 'model.preset = char with contextLength is 64, but '],
    [
      text,
      { model: { ...text.model, contextLength: 8 }, fineTuning: { fresh: ['norm.*'] } },
      '"fresh": ["positionEmbedding"]',
    ],
    [text, { model: { ...text.model, gelu: 'none' } }, 'model.gelu is none, but '],
    [text, { data: { ...text.data, length: 32 } }, 'data.length is 32, but the model has a context of 16 tokens'],
    [pictures, { model: { ...pictures.model, patchSize: 2 } }, 'model.patchSize is 2, but '],
    [pictures, { model: { ...text.model, kind: 'vit' } }, 'model.kind is vit, but '],
    [pictures, { data: { ...pictures.data, size: 16 } }, 'The data has imageSize = 16, but '],
    [pictures, { data: { ...pictures.data, classes: 5 } }, 'Initialize a new head'],
  ])('names a key that says otherwise (%#)', async (configuration, changes, message) => {
    write('conflict.json', configuration, changes);
    const { code, stderr } = await lmd(['train', 'conflict.json', '--out', 'conflict'], folder);
    expect(stderr).toContain(message);
    expect(code).toBe(2);
  });

  it('exports adapters under the names of the library of the base', async () => {
    write('lora.json', pictures, { fineTuning: { lora: { rank: 2, alpha: 4 } } });
    expect(await lmd(['train', 'lora.json', '--out', 'lora'], folder)).toMatchObject({ code: 0, stderr: '' });
    await json('export', 'lora', '--layout', 'peft', '--out', 'adapters');
    const { target_modules } = JSON.parse(readFileSync(at('adapters', 'adapter_config.json'), 'utf8'));
    expect(target_modules).toEqual(['blocks.0.attn.qkv', 'blocks.0.attn.proj']);
  });
});

describe('lmd quantize', () => {
  it('runs blocks along the inputs of a ViT of timm, and keeps its convolution', async () => {
    await json('quantize', 'timm', '--format', 'mxfp4_e2m1', '--out', 'timm.safetensors');
    const names = ['attn.qkv', 'attn.proj', 'mlp.fc1', 'mlp.fc2'].map((name) => `blocks.0.${name}.weight`);
    expect(axesOf('timm.safetensors')).toEqual(Object.fromEntries([...names, 'head.weight'].map((name) => [name, 1])));
    expect(tensorsOf('timm.safetensors').get('patch_embed.proj.weight')!.dtype).toBe('F32');
  });

  it('packs the same values in the layout of transformers as in ours, which generate and export read', async () => {
    await json('quantize', 'gpt2', '--format', 'mxfp4_e2m1', '--out', 'gpt2/packed.safetensors');
    expect(axesOf('gpt2/packed.safetensors')).toMatchObject({
      'transformer.wte.weight': 1,
      'transformer.h.0.mlp.c_fc.weight': 0,
    });
    expect(Object.keys(axesOf('gpt2/packed.safetensors'))).not.toContain('transformer.wpe.weight');
    await json('export', 'gpt2', '--layout', 'lmd', '--out', 'ours');
    await json('quantize', 'ours', '--format', 'mxfp4_e2m1', '--out', 'ours/packed.safetensors');
    for (const name of ['gpt2', 'ours']) {
      await json('export', `${name}/packed.safetensors`, '--layout', 'lmd', '--out', `unpacked-${name}`);
    }
    const [theirs, own] = [tensorsOf('unpacked-gpt2/model.safetensors'), tensorsOf('unpacked-ours/model.safetensors')];
    for (const [name, tensor] of own) expect(theirs.get(name), name).toEqual(tensor);
    const { tokens } = await json<{ tokens: number[] }>(
      ...['generate', 'gpt2/packed.safetensors', '--prompt', 'Hi', '--max-tokens', '2'],
    );
    expect(tokens).toHaveLength(2);
  });

  it('refuses a model whose matrices it does not know', async () => {
    writeTensors(at('llama.safetensors'), { 'model.layers.0.mlp.up_proj.weight': f32([64, 32]) });
    const { code, stderr } = await lmd(['quantize', 'llama.safetensors', '--format', 'mxint8'], folder);
    expect([code, stderr]).toEqual([1, expect.stringContaining('is neither a model of lmd nor')]);
  });
});

describe('lmd generate', () => {
  it('crops the text beyond the context, and never draws a row of padding', async () => {
    const isPadding = (i: number) => i >= 50300 * 8 && i < 50301 * 8;
    const change = (tensors: Tensors): Tensors => ({
      ...tensors,
      'transformer.wte.weight': f32([50304, 8], (i) => (isPadding(i) ? 5 : 0.01 + (i % 7) / 1000)),
      'transformer.ln_f.weight': f32([8], () => 0),
      'transformer.ln_f.bias': f32([8], () => 1),
    });
    writeGpt2Folder(at('liked'), { vocabulary: 50304, change });
    const words = ['generate', 'liked', '--prompt', 'Hello, hello, hello, hello', '--max-tokens', '24'];
    const { tokens } = await json<{ tokens: number[] }>(...words);
    expect(tokens).toHaveLength(24);
    expect(Math.max(...tokens)).toBeLessThan(50257);
  });

  it('refuses a vocabulary that is not that of GPT-2 with some padding', async () => {
    for (const vocabulary of [300, 60_000]) {
      writeGpt2Folder(at('other'), { vocabulary, width: 2 });
      const { code, stderr } = await lmd(['generate', 'other'], folder);
      expect([code, stderr]).toEqual([2, expect.stringContaining(`has a vocabulary of ${vocabulary}`)]);
    }
  });
});

describe('files of other libraries', () => {
  const doubles = (tensors: Tensors): Tensors =>
    Object.fromEntries(
      Object.entries(tensors).map(([name, tensor]) => [
        name,
        tensorFrom(Float64Array.from(toFloat32Array(tensor)), tensor.shape),
      ]),
    );

  it('are read in F64, with a note', async () => {
    writeGpt2Folder(at('f64'), { vocabulary: 300, change: doubles });
    const { code, stderr } = await lmd(['export', 'f64', '--layout', 'transformers', '--out', 'f32'], folder);
    expect(code).toBe(0);
    expect(stderr).toMatch(/^note .*contains 16 tensors in F64, which are rounded to float32\n$/);
    writeGpt2Folder(at('plain'), { vocabulary: 300 });
    await json('export', 'plain', '--layout', 'transformers', '--out', 'same');
    expect(tensorsOf('f32/model.safetensors')).toEqual(tensorsOf('same/model.safetensors'));
  });

  it('are refused in F64 beyond float32, naming the tensor', async () => {
    const change = (tensors: Tensors) => ({
      ...tensors,
      'transformer.ln_f.bias': tensorFrom(new Float64Array(8).fill(1e300), [8]),
    });
    writeGpt2Folder(at('huge'), { vocabulary: 300, change });
    const { code, stderr } = await lmd(['export', 'huge', '--layout', 'lmd', '--out', 'no'], folder);
    expect([code, stderr]).toEqual([1, expect.stringContaining('transformer.ln_f.bias')]);
  });

  it.each([
    ['{"model_type": "gpt2",', 'DATA_CORRUPT'],
    ['null', 'DATA_CORRUPT'],
    ['[]', 'DATA_CORRUPT'],
    ['{}', 'UNSUPPORTED'],
    [{ n_layer: 1e9 }, 'CHECKPOINT_MISMATCH'],
    [{ n_embd: 1e9 }, 'CHECKPOINT_MISMATCH'],
    [{ n_embd: null }, 'UNSUPPORTED'],
    [{ scale_attn_by_inverse_layer_idx: true }, 'UNSUPPORTED'],
  ])('with the config.json %j are refused at once, naming it', async (config, code) => {
    writeGpt2Folder(at('cut'), { vocabulary: 300, json: config });
    const began = performance.now();
    const { stdout } = await lmd(['export', 'cut', '--layout', 'lmd', '--out', 'cut-out', '--json'], folder);
    expect(performance.now() - began).toBeLessThan(20_000);
    const error = JSON.parse(stdout.trim().split('\n').at(-1)!);
    expect(error.code).toBe(code);
    expect(error.message).toMatch(/config\.json|transformer\.wte\.weight/);
  });

  it('refuses a depth without end', async () => {
    write('deep.json', text, { model: { kind: 'gpt2', width: 8, depth: 1e9, heads: 2 } });
    const { code, stderr } = await lmd(['train', 'deep.json', '--out', 'deep'], folder);
    expect([code, stderr]).toEqual([2, expect.stringContaining('model.depth = 1000000000')]);
  });
});
