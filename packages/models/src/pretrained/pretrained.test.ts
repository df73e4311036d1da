import { isLmdError } from '@lmd/core';
import { describe, expect, it } from 'vitest';
import { golden } from '../../test/golden.js';
import { errorOf, key, reference, stirred } from '../../test/support.js';
import {
  configJsonOf,
  describePretrained,
  exportPretrained,
  fullPrecision,
  gpt2,
  type ImportSource,
  importPretrained,
  modelFromConfigJson,
  type PretrainedTensor,
  vit,
} from '../index.js';

type Arrays = { [name: string]: PretrainedTensor };
const { ops, read } = reference('f32');
const small = { vocabularySize: 7, contextLength: 5, width: 8, depth: 1, heads: 2 };

async function arraysOf(tensors: ReturnType<typeof exportPretrained>['tensors']): Promise<Arrays> {
  const entries: [string, PretrainedTensor][] = [];
  for (const [name, tensor] of Object.entries(tensors)) {
    entries.push([name, { shape: tensor.shape, data: await tensor.read() }]);
  }
  return Object.fromEntries(entries);
}

async function failure(source: ImportSource): Promise<{ code: string; subject: string | undefined; message: string }> {
  const before = ops.memory().tensors;
  let caught: unknown;
  try {
    await importPretrained(ops, source);
  } catch (error) {
    caught = error;
  }
  expect(ops.memory().tensors, 'nothing is left behind').toBe(before);
  if (isLmdError(caught)) return { code: caught.code, subject: caught.subject, message: caught.message };
  throw caught;
}

describe('exportPretrained', () => {
  it.each([
    ['gpt2', 'transformers'],
    ['vit-transformers', 'transformers'],
    ['vit-timm-class-token', 'timm'],
    ['vit-timm-mean', 'timm'],
  ] as const)('gives back the very tensors that were imported: %s', async (name, layout) => {
    const { config } = golden(name);
    const size = { imageSize: 8, patchSize: 4, channels: 2, classes: 3, width: 16, depth: 2, heads: 2, mlpWidth: 40 };
    const pooling = name === 'vit-timm-mean' ? 'mean' : 'classToken';
    const tensors = golden(name).tensors;
    const source = config === undefined ? { model: vit({ ...size, pooling }), tensors } : { config, tensors };
    const { model, weights } = await importPretrained(ops, source);
    const exported = exportPretrained(ops, model, weights, { layout });
    expect(await arraysOf(exported.tensors)).toEqual(tensors);
    if (config !== undefined) return expect(modelFromConfigJson(exported.config).config).toEqual(model.config);
    const shapes = new Map(Object.entries(exported.tensors).map(([tensor, { shape }]) => [tensor, shape]));
    const { options } = describePretrained(exported.config, shapes)!;
    expect(vit(options as Parameters<typeof vit>[0]).config).toEqual(model.config);
  });

  it('goes from timm to transformers and back', async () => {
    const model = vit({ imageSize: 8, patchSize: 2, channels: 3, classes: 4, width: 12, depth: 2, heads: 3 });
    const weights = stirred(ops, model.initialize(ops, 1));
    const images = ops.randomNormal([2, 8, 8, 3], { ...key, stream: 1 });
    const logits = (w: typeof weights): Float64Array =>
      read(model.forward(ops, w, images, { training: false, precision: fullPrecision, key }));
    let current = weights;
    for (const layout of ['timm', 'transformers', 'timm'] as const) {
      const tensors = await arraysOf(exportPretrained(ops, model, current, { layout }).tensors);
      current = (await importPretrained(ops, { model, tensors })).weights;
    }
    expect(logits(current)).toEqual(logits(weights));
  });

  it('names the token between documents where the vocabulary has it', () => {
    expect(configJsonOf(gpt2(small))).toMatchObject({ bos_token_id: null, eos_token_id: null });
    expect(configJsonOf(gpt2({ ...small, vocabularySize: 50257 }))).toMatchObject({ eos_token_id: 50256 });
  });

  it('refuses a model that the layout does not have', () => {
    const mean = vit({
      imageSize: 8,
      patchSize: 4,
      channels: 1,
      classes: 2,
      width: 8,
      depth: 1,
      heads: 1,
      pooling: 'mean',
    });
    expect(errorOf(() => exportPretrained(ops, mean, mean.initialize(ops, 1)))).toMatchObject({
      code: 'UNSUPPORTED',
      subject: 'layout',
    });
    const language = gpt2(small);
    const weights = language.initialize(ops, 1);
    expect(errorOf(() => exportPretrained(ops, language, weights, { layout: 'timm' }))).toMatchObject({
      code: 'UNSUPPORTED',
    });
    const { 'norm.gain': gone, ...rest } = weights;
    expect(gone).toBeDefined();
    expect(errorOf(() => exportPretrained(ops, language, rest))).toMatchObject({ subject: 'norm.gain' });
  });
});

describe('importPretrained', () => {
  it('takes names without the prefix, causal masks of old files, and a copy of the tied embedding', async () => {
    const tensors = golden('gpt2').tensors;
    const { config } = golden('gpt2');
    const expected = await importPretrained(ops, { config: config!, tensors });
    const bare: Arrays = Object.fromEntries(
      Object.entries(tensors).map(([name, x]) => [name.replace('transformer.', ''), x]),
    );
    bare['h.0.attn.bias'] = { shape: [1, 1, 2, 2], data: Float32Array.of(1, 0, 1, 1) };
    bare['h.0.attn.masked_bias'] = { shape: [], data: Float32Array.of(-1e4) };
    bare['lm_head.weight'] = bare['wte.weight']!;
    const { weights } = await importPretrained(ops, { config: config!, tensors: bare });
    for (const [name, x] of Object.entries(weights)) expect(read(x), name).toEqual(read(expected.weights[name]!));
  });

  it('applies our own options beside config.json', async () => {
    const { config, tensors } = golden('gpt2');
    const overrides = { dropout: 0.1, recomputation: 'blocks' as const };
    const { model } = await importPretrained(ops, { config: config!, overrides, tensors });
    expect(model.config).toMatchObject({ ...overrides, width: 16, mlpWidth: 64 });
  });

  it('begins chosen weights afresh, as a head for other classes', async () => {
    const { config } = golden('vit-transformers');
    const tensors = golden('vit-transformers').tensors;
    const source: ImportSource = {
      config: config!,
      tensors,
      overrides: { classes: 7 },
      initialize: { match: /^head\./, seed: 3 },
    };
    const { model, weights } = await importPretrained(ops, source);
    expect(Object.keys(weights)).toEqual(Object.keys(model.parameters));
    expect(weights['head.weight']!.shape).toEqual([16, 7]);
    expect(read(weights['head.weight']!)).toEqual(read(model.initialize(ops, 3)['head.weight']!));
    expect(read(weights['norm.gain']!)).toEqual(Float64Array.from(tensors['vit.layernorm.weight']!.data));
    const { 'classifier.weight': gone, ...headless } = tensors;
    expect(gone).toBeDefined();
    ops.dispose((await importPretrained(ops, { ...source, tensors: headless })).weights);
    // As models without a head are written: no prefix, and a pooler that the head does without.
    const bare: Arrays = Object.fromEntries(
      Object.entries(headless).map(([name, x]) => [name.replace(/^vit\./, ''), x]),
    );
    const { 'classifier.bias': alsoGone, ...body } = bare;
    expect(alsoGone).toBeDefined();
    body['pooler.dense.bias'] = { shape: [16], data: new Float32Array(16) };
    const fromBody = await importPretrained(ops, { ...source, tensors: body });
    for (const [name, x] of Object.entries(fromBody.weights)) expect(read(x), name).toEqual(read(weights[name]!));
    expect(await failure({ ...source, initialize: { match: /^tail/, seed: 1 } })).toMatchObject({
      code: 'INVALID_ARGUMENT',
      subject: 'initialize',
    });
    const { initialize, ...without } = source;
    expect(initialize).toBeDefined();
    expect(await failure(without)).toMatchObject({ code: 'CHECKPOINT_MISMATCH', subject: 'classifier.weight' });
  });

  it('names what is missing, unexpected, misshapen or untied', async () => {
    const { config } = golden('gpt2');
    const tensors = golden('gpt2').tensors;
    const change = (changes: { [name: string]: PretrainedTensor | undefined }): ImportSource => ({
      config: config!,
      tensors: Object.fromEntries(
        Object.entries({ ...tensors, ...changes }).filter(
          (entry): entry is [string, PretrainedTensor] => entry[1] !== undefined,
        ),
      ),
    });
    const code = 'CHECKPOINT_MISMATCH';
    expect(await failure(change({ 'transformer.h.1.ln_2.bias': undefined }))).toMatchObject({
      code,
      subject: 'transformer.h.1.ln_2.bias',
      message: expect.stringContaining('1 tensors are missing: transformer.h.1.ln_2.bias'),
    });
    const extra = { shape: [2], data: Float32Array.of(1, 2) };
    expect(await failure(change({ 'transformer.h.2.ln_1.bias': extra }))).toMatchObject({
      code,
      subject: 'transformer.h.2.ln_1.bias',
      message: expect.stringContaining('not weights of this model'),
    });
    expect(await failure(change({ 'transformer.ln_f.weight': extra }))).toMatchObject({
      code,
      subject: 'transformer.ln_f.weight',
      message: expect.stringContaining('[2], but this model needs [16]'),
    });
    const embedding = tensors['transformer.wte.weight']!;
    const other = { ...embedding, data: embedding.data.map((x) => x + 1) };
    expect(await failure(change({ 'lm_head.weight': other }))).toMatchObject({ code, subject: 'lm_head.weight' });
    expect(
      await failure(change({ 'transformer.ln_f.weight': { shape: [16], data: new Float32Array(9) } })),
    ).toMatchObject({
      code: 'CHECKPOINT_CORRUPT',
      subject: 'transformer.ln_f.weight',
    });
  });

  it('refuses another architecture, by its tensors and by its config.json', async () => {
    expect(await failure({ config: golden('gpt2').config!, tensors: golden('vit-timm-mean').tensors })).toMatchObject({
      code: 'CHECKPOINT_MISMATCH',
      message: expect.stringContaining('not the tensors of a gpt2'),
    });
    const tensors = {};
    const model = gpt2(small);
    expect(await failure({ tensors, model, config: configJsonOf(model) })).toMatchObject({ code: 'INVALID_ARGUMENT' });
    expect(await failure({ tensors })).toMatchObject({ code: 'INVALID_ARGUMENT' });
    for (const [base, change, subject] of [
      ['gpt2', { model_type: 'llama' }, 'model_type'],
      ['gpt2', { tie_word_embeddings: false }, 'tie_word_embeddings'],
      ['gpt2', { activation_function: 'relu' }, 'activation_function'],
      ['gpt2', { n_embd: '16' }, 'n_embd'],
      ['gpt2', { layer_norm_epsilon: 0 }, 'layer_norm_epsilon'],
      ['vit-transformers', { qkv_bias: false }, 'qkv_bias'],
      ['vit-transformers', { image_size: [8, 12] }, 'image_size'],
    ] as const) {
      const config = { ...golden(base).config!, ...change };
      expect(await failure({ config, tensors }), subject).toMatchObject({ code: 'UNSUPPORTED', subject });
    }
  });

  it('names the tensor whose file is corrupt', async () => {
    const { config, tensors } = golden('gpt2');
    const read = (name: string): PretrainedTensor => {
      if (name !== 'transformer.h.1.ln_1.bias') return tensors[name]!;
      throw new Error('"model-00002.safetensors" is cut off');
    };
    expect(await failure({ config: config!, tensors: { names: Object.keys(tensors), read } })).toMatchObject({
      code: 'CHECKPOINT_CORRUPT',
      subject: 'transformer.h.1.ln_1.bias',
      message: expect.stringContaining('"model-00002.safetensors" is cut off'),
    });
  });

  it('reads one tensor at a time', async () => {
    const model = gpt2(small);
    const { tensors } = exportPretrained(ops, model, model.initialize(ops, 1));
    let reading = 0;
    const { weights } = await importPretrained(ops, {
      model,
      tensors: {
        names: Object.keys(tensors),
        async read(name) {
          reading += 1;
          expect(reading).toBe(1);
          const data = await tensors[name]!.read();
          reading -= 1;
          return { shape: tensors[name]!.shape, data };
        },
      },
    });
    expect(Object.keys(weights)).toHaveLength(Object.keys(model.parameters).length);
  });
});
