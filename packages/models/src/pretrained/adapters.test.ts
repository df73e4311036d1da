import { readFileSync } from 'node:fs';
import { isLmdError, type NamedTensors } from '@lmd/core';
import { describe, expect, it } from 'vitest';
import { fileTensors, golden } from '../../test/golden.js';
import { errorOf, key, reference, stirred } from '../../test/support.js';
import {
  type AdapterConfigJson,
  exportAdapters,
  fullPrecision,
  gpt2,
  importPretrained,
  type LoraOptions,
  lora,
  mergeAdapters,
  type PretrainedModel,
  type PretrainedTensor,
  vit,
} from '../index.js';

const text = gpt2({ vocabularySize: 11, contextLength: 6, width: 8, depth: 2, heads: 2 });
const images = vit({ imageSize: 8, channels: 1, patchSize: 4, width: 8, depth: 1, heads: 2, classes: 3 });
const json = (path: string) => JSON.parse(readFileSync(new URL(`../../test/golden/${path}`, import.meta.url), 'utf8'));

async function exported(model: PretrainedModel, layout: 'transformers' | 'timm', options: LoraOptions) {
  const { ops, read } = reference('f32');
  const base = stirred(ops, model.initialize(ops, 7));
  const adapted = lora(model, base, options);
  const trained = stirred(ops, adapted.initialize(ops, 3));
  const { config, tensors } = exportAdapters(ops, model, adapted, trained, { layout, baseModel: 'base' });
  const arrays: { [name: string]: PretrainedTensor } = {};
  for (const [name, { shape, read }] of Object.entries(tensors)) arrays[name] = { shape, data: await read() };
  return { ops, read, base, adapted, trained, config, tensors: arrays };
}

describe('exportAdapters', () => {
  it('has the names and shapes of PEFT', async () => {
    const { config, tensors } = await exported(text, 'transformers', { rank: 2, alpha: 3, train: /^norm\./ });
    const shapes = Object.fromEntries(Object.entries(tensors).map(([name, { shape }]) => [name, shape]));
    const block = (index: number) => {
      const attention = `base_model.model.transformer.h.${index}.attn`;
      return {
        [`${attention}.c_attn.lora_A.weight`]: [2, 8],
        [`${attention}.c_attn.lora_B.weight`]: [24, 2],
        [`${attention}.c_proj.lora_A.weight`]: [2, 8],
        [`${attention}.c_proj.lora_B.weight`]: [8, 2],
      };
    };
    const norm = 'base_model.model.transformer.ln_f';
    expect(shapes).toEqual({ ...block(0), ...block(1), [`${norm}.weight`]: [8], [`${norm}.bias`]: [8] });
    expect(config).toMatchObject({
      peft_type: 'LORA',
      task_type: 'CAUSAL_LM',
      base_model_name_or_path: 'base',
      r: 2,
      lora_alpha: 3,
      fan_in_fan_out: true,
      modules_to_save: ['transformer.ln_f'],
    });
    expect(config.target_modules).toEqual(
      [0, 1].flatMap((index) => ['c_attn', 'c_proj'].map((name) => `transformer.h.${index}.attn.${name}`)),
    );
  });

  it.each([
    ['GPT-2', text, 'transformers', { rank: 2, alpha: 3, match: /\.weight$/, train: /^norm\./ }],
    ['ViT in transformers', images, 'transformers', { rank: 2, alpha: 1, train: /^head\./ }],
    ['ViT in timm', images, 'timm', { rank: 3, match: /(qkv|down)\.weight$/, train: /^(head|norm)\./ }],
  ] as readonly [string, PretrainedModel, 'transformers' | 'timm', LoraOptions & { match?: RegExp }][])(
    'is what mergeAdapters merges: %s',
    async (_, model, layout, { match, ...options }) => {
      const matches =
        match === undefined ? {} : { match: (name: string) => name.startsWith('blocks.') && match.test(name) };
      const { ops, read, base, adapted, trained, config, tensors } = await exported(model, layout, {
        ...options,
        ...matches,
      });
      const before = ops.memory().tensors;
      const merged = await mergeAdapters(ops, model, base, { tensors, config });
      expect(ops.memory().tensors).toBe(before + Object.keys(merged).length);
      const expected = adapted.merge(ops, trained);
      expect(Object.keys(merged)).toEqual(Object.keys(expected));
      for (const name of Object.keys(expected)) {
        const [ours, theirs] = [read(merged[name]!), read(expected[name]!)];
        // Sums of three products of the order of 1, in float64 there and float32 here.
        for (let i = 0; i < ours.length; i++) expect(Math.abs(ours[i]! - theirs[i]!)).toBeLessThan(2e-6);
      }
      const changed = Object.keys(base).filter((name) => read(merged[name]!).join() !== read(base[name]!).join());
      expect(changed.length).toBeGreaterThan(1);
      expect(changed.length).toBeLessThan(Object.keys(base).length);
    },
  );

  it.each([
    ['an adapter of an embedding', text, { rank: 2, match: 'tokenEmbedding.weight' }, 'tokenEmbedding.weight'],
    ['the tied embedding', text, { rank: 2, train: 'tokenEmbedding.weight' }, 'tokenEmbedding.weight'],
    ['a bias without its weight', text, { rank: 2, train: 'norm.bias' }, 'norm.gain'],
    ['a parameter in no module of its own', images, { rank: 2, train: 'classToken' }, 'classToken'],
  ])('refuses %s', (_, model, options, subject) => {
    const { ops } = reference('f32');
    const adapted = lora(model, model.initialize(ops, 1), options);
    const weights = adapted.initialize(ops, 1);
    expect(errorOf(() => exportAdapters(ops, model, adapted, weights))).toMatchObject({ code: 'UNSUPPORTED', subject });
  });
});

describe('mergeAdapters', () => {
  it.each([
    ['gpt2-peft', 'gpt2'],
    ['vit-peft', 'vit-transformers'],
  ] as const)('computes what PEFT computes: %s', async (name, on) => {
    const { ops, read } = reference('f64');
    const { config, tensors } = golden(on);
    const { model, weights } = await importPretrained(ops, { tensors, config: config! });
    const merged = await mergeAdapters(ops, model, weights, {
      tensors: fileTensors(`${name}/adapter_model.safetensors`),
      config: json(`${name}/adapter_config.json`),
    });
    const { inputs, logits } = json(`${name}/golden.json`);
    const x =
      model.architecture === 'gpt2'
        ? ops.fromData(Int32Array.from(inputs.data as number[]), inputs.shape)
        : ops.transpose(ops.fromData(inputs.data, inputs.shape), [0, 2, 3, 1]);
    const of = (weights: NamedTensors) =>
      read(model.forward(ops, weights, x, { training: false, precision: fullPrecision, key }));
    const largest = Math.max(...logits.data.map(Math.abs));
    const distance = (values: Float64Array) =>
      Math.max(...values.map((value, i) => Math.abs(value - logits.data[i]))) / largest;
    // The change is rounded to float32 before it is added.
    expect(distance(of(merged))).toBeLessThan(1e-6);
    expect(distance(of(weights))).toBeGreaterThan(0.1);
  });

  it('knows the names of ViT in transformers before 5', async () => {
    const { ops, read, base, config, tensors } = await exported(images, 'transformers', { rank: 2 });
    const older = Object.fromEntries(
      Object.entries(tensors).map(([name, tensor]) => [
        name
          .replace('vit.layers.', 'vit.encoder.layer.')
          .replace(/attention\.([qkv])_proj/, (_, which: 'q' | 'k' | 'v') => {
            return `attention.attention.${{ q: 'query', k: 'key', v: 'value' }[which]}`;
          })
          .replace('attention.o_proj', 'attention.output.dense'),
        tensor,
      ]),
    );
    expect(Object.keys(older)).not.toEqual(Object.keys(tensors));
    const [a, b] = [older, tensors].map((tensors) => mergeAdapters(ops, images, base, { tensors, config }));
    const name = 'blocks.0.attention.qkv.weight';
    expect(read((await a!)[name]!)).toEqual(read((await b!)[name]!));
  });

  it('refuses what is of another model or kind, and leaves nothing behind', async () => {
    const { ops, base, config, tensors } = await exported(text, 'transformers', { rank: 2 });
    const [name] = Object.keys(tensors) as [string];
    const { [name]: gone, ...without } = tensors;
    const before = ops.memory().tensors;
    const refused = async (given: { [name: string]: PretrainedTensor }, settings: AdapterConfigJson = config) => {
      try {
        await mergeAdapters(ops, text, base, { tensors: given, config: settings });
      } catch (error) {
        if (isLmdError(error)) return [error.code, error.subject];
        throw error;
      }
      return [];
    };
    expect(await refused(without)).toEqual(['CHECKPOINT_MISMATCH', name]);
    expect(await refused({ ...tensors, 'base_model.model.other': gone! })).toEqual([
      'CHECKPOINT_MISMATCH',
      'base_model.model.other',
    ]);
    expect(await refused({ ...tensors, [name]: { shape: [8, 2], data: gone!.data } })).toEqual([
      'CHECKPOINT_MISMATCH',
      name,
    ]);
    expect(await refused({ strange: gone! })).toEqual(['CHECKPOINT_MISMATCH', 'strange']);
    expect(await refused({})).toEqual(['CHECKPOINT_MISMATCH', 'tensors']);
    for (const [setting, value] of [
      ['peft_type', 'IA3'],
      ['use_dora', true],
      ['rank_pattern', { c_attn: 4 }],
      ['bias', 'all'],
      ['r', 0],
      ['lora_alpha', 'much'],
    ] as const) {
      expect(await refused(tensors, { ...config, [setting]: value })).toEqual(['UNSUPPORTED', setting]);
    }
    expect(ops.memory().tensors).toBe(before);
  });
});
