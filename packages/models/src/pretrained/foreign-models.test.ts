import { readFileSync } from 'node:fs';
import { isLmdError } from '@lmd/core';
import { describe, expect, it } from 'vitest';
import { golden } from '../../test/golden.js';
import { errorOf, reference } from '../../test/support.js';
import {
  contractionAxes,
  describePretrained,
  exportPretrained,
  gpt2,
  gpt2Preset,
  mergeAdapters,
  modelFromConfigJson,
  type PretrainedModel,
  vit,
} from '../index.js';

const { ops, read } = reference('f64');
const language = gpt2({ vocabularySize: 7, contextLength: 4, width: 4, depth: 1, heads: 1 });
const images = vit({ imageSize: 8, channels: 1, patchSize: 4, width: 8, depth: 2, heads: 2, classes: 3 });
const mean = vit({ ...images.config, pooling: 'mean' });
const gpt2Json = golden('gpt2').config!;
const vitJson = golden('vit-transformers').config!;
const shapesOf = (tensors: { readonly [name: string]: { readonly shape: readonly number[] } }) =>
  new Map(Object.entries(tensors).map(([name, { shape }]) => [name, shape]));
const foreignShapes = (model: PretrainedModel, layout: 'transformers' | 'timm') =>
  shapesOf(exportPretrained(ops, model, model.initialize(ops, 1), { layout }).tensors);

describe('config.json of transformers', () => {
  it.each([
    ['scale_attn_by_inverse_layer_idx', true],
    ['scale_attn_weights', false],
    ['add_cross_attention', true],
    ['tie_word_embeddings', false],
    ['activation_function', 'relu'],
    ['activation_function', null],
    ['layer_norm_epsilon', '1e-5'],
    ['layer_norm_epsilon', 0],
    ['pruned_heads', { 0: [1] }],
    ['quantization_config', { bits: 4 }],
    ['auto_map', { AutoModel: 'modeling.Own' }],
    ['is_encoder_decoder', true],
    ['n_layer', 1e9],
    ['n_layer', 1.5],
    ['n_head', 3],
    ['rotary_dim', 64],
    ['vocab_size', null],
  ])('of a GPT-2 is refused with %s = %j, by name', (name, value) => {
    if (name === 'activation_function' && value === null) {
      expect(modelFromConfigJson({ ...gpt2Json, [name]: value }).config).toMatchObject({ gelu: 'tanh' });
      return;
    }
    const error = errorOf(() => modelFromConfigJson({ ...gpt2Json, [name]: value }));
    expect(error.code).toMatch(/^(UNSUPPORTED|INVALID_ARGUMENT)$/);
    expect([name, 'depth', 'heads']).toContain(error.subject);
  });

  it.each([
    ['qkv_bias', false],
    ['hidden_act', 'quick_gelu'],
    ['layer_norm_eps', -1],
    ['image_size', [8, 16]],
    ['patch_size', [4]],
    ['num_register_tokens', 4],
    ['use_mask_token', true],
    ['id2label', {}],
  ])('of a ViT is refused with %s = %j, by name', (name, value) => {
    expect(errorOf(() => modelFromConfigJson({ ...vitJson, [name]: value }))).toMatchObject({
      code: 'UNSUPPORTED',
      subject: name,
    });
  });

  it('takes settings that change nothing, whatever they say, and unknown ones that are off', () => {
    const more = { reorder_and_upcast_attn: true, resid_pdrop: 0.5, use_cache: false, do_sample: true, later: null };
    expect(modelFromConfigJson({ ...gpt2Json, ...more }).config).toEqual(modelFromConfigJson(gpt2Json).config);
    const sides = { image_size: [8, 8], patch_size: [4, 4], hidden_act: 'gelu_new', layer_norm_eps: 1e-5 };
    expect(modelFromConfigJson({ ...vitJson, ...sides }).config).toEqual({
      ...modelFromConfigJson(vitJson).config,
      gelu: 'tanh',
      layerNormEpsilon: 1e-5,
    });
  });

  it.each([null, [], 3, 'text', {}, { model_type: 'llama' }, { architecture: 'vit_base_patch16_224' }])(
    'is refused where it is %j',
    (json) => {
      const { code } = errorOf(() => modelFromConfigJson(json as never));
      expect(code).toBe(
        typeof json === 'object' && json !== null && !Array.isArray(json) ? 'UNSUPPORTED' : 'DATA_CORRUPT',
      );
    },
  );

  it('must have as many blocks as the tensors', () => {
    const shapes = shapesOf(golden('gpt2').tensors);
    expect(describePretrained(gpt2Json, shapes)).toMatchObject({
      architecture: 'gpt2',
      options: { depth: 2, heads: 2 },
    });
    expect(errorOf(() => describePretrained({ ...gpt2Json, n_layer: 1e9 }, shapes))).toMatchObject({
      code: 'CHECKPOINT_MISMATCH',
      subject: 'n_layer',
    });
    expect(errorOf(() => gpt2(gpt2Preset('124M', { depth: 1e9 })))).toMatchObject({ subject: 'depth' });
    expect(describePretrained(undefined, shapes)).toBeUndefined();
  });
});

describe('config.json of timm', () => {
  const json = { architecture: 'vit_tiny_patch4_8', num_classes: 3, num_features: 8, global_pool: 'token' };
  const shapes = foreignShapes(images, 'timm');

  it('gives the geometry with the shapes of the tensors', () => {
    const { heads: _, ...known } = { ...images.config };
    const { architecture, options } = describePretrained(json, shapes)!;
    expect(architecture).toBe('vit');
    expect(known).toMatchObject(options);
    expect(Object.keys(options)).not.toContain('heads');
    const args = { model_args: { num_heads: 2, act_layer: 'gelu_tanh', dynamic_img_size: true, drop_rate: 0.1 } };
    expect(describePretrained({ ...json, ...args }, shapes)).toMatchObject({ options: { heads: 2, gelu: 'tanh' } });
    expect(describePretrained({ ...json, global_pool: 'avg' }, foreignShapes(mean, 'timm'))).toMatchObject({
      options: { pooling: 'mean', imageSize: 8 },
    });
    expect(describePretrained(undefined, shapes)).toMatchObject({ options: { width: 8, depth: 2, classes: 3 } });
  });

  it.each([
    ['architecture', 'vit_base_patch14_reg4_dinov2.lvd142m'],
    ['architecture', 'vit_base_patch16_clip_quickgelu_224'],
    ['architecture', 'resnet50'],
    ['architecture', null],
    ['global_pool', 'map'],
    ['num_features', 768],
    ['num_features', 'many'],
    ['distilled', true],
  ])('is refused with %s = %j, by name', (name, value) => {
    expect(errorOf(() => describePretrained({ ...json, [name]: value }, shapes))).toMatchObject({
      code: 'UNSUPPORTED',
      subject: name,
    });
  });

  it.each([
    ['reg_tokens', 4],
    ['qkv_bias', false],
    ['qk_norm', true],
    ['init_values', 1e-5],
    ['no_embed_class', true],
    ['act_layer', 'quick_gelu'],
    ['pre_norm', true],
    ['final_norm', false],
    ['fc_norm', true],
    ['pos_embed', 'none'],
    ['rope', true],
    ['num_heads', 0],
  ])('is refused with the argument %s = %j', (name, value) => {
    expect(errorOf(() => describePretrained({ ...json, model_args: { [name]: value } }, shapes))).toMatchObject({
      code: 'UNSUPPORTED',
      subject: name,
    });
  });
});

describe('adapter_config.json of PEFT', () => {
  const name = 'blocks.0.attention.projection.weight';
  const prefix = 'base_model.model.transformer.h.0.attn.c_proj.lora_';
  const tensors = {
    [`${prefix}A.weight`]: { shape: [1, 4], data: Float32Array.of(1, 0, 0, 0) },
    [`${prefix}B.weight`]: { shape: [4, 1], data: Float32Array.of(1, 0, 0, 0) },
  };
  const plain = JSON.parse(
    readFileSync(new URL('../../test/golden/gpt2-peft/adapter_config.json', import.meta.url), 'utf8'),
  );
  const first = async (changes: object): Promise<number | readonly [string, string | undefined]> => {
    const base = language.initialize(ops, 1);
    const before = read(base[name]!)[0]!;
    try {
      const config = { ...plain, r: 1, lora_alpha: 2, ...changes };
      const merged = await mergeAdapters(ops, language, base, { tensors, config });
      return read(merged[name]!)[0]! - before;
    } catch (error) {
      if (isLmdError(error)) return [error.code, error.subject];
      throw error;
    }
  };

  it('is merged where the adapter is B·A on the weights of the base', async () => {
    expect(await first({})).toBeCloseTo(2, 6);
    expect(await first({ use_rslora: true })).toBeCloseTo(2, 6);
    expect(await first({ init_lora_weights: 'eva', eva_config: { rho: 2 } })).toBeCloseTo(2, 6);
    expect(await first({ later: false, target_modules: 'all-linear', lora_dropout: 0.1 })).toBeCloseTo(2, 6);
  });

  it.each([
    ['peft_type', 'IA3'],
    ['peft_type', null],
    ['init_lora_weights', 'pissa'],
    ['init_lora_weights', 'pissa_niter_16'],
    ['init_lora_weights', 'olora'],
    ['init_lora_weights', 'corda'],
    ['init_lora_weights', 'loftq'],
    ['init_lora_weights', 'lora_ga'],
    ['init_lora_weights', 'mica'],
    ['use_dora', true],
    ['use_qalora', true],
    ['use_bdlora', { nblocks: 2 }],
    ['lora_bias', true],
    ['bias', 'lora_only'],
    ['rank_pattern', { c_attn: 4 }],
    ['alpha_pattern', { c_attn: 4 }],
    ['layer_replication', [[0, 1]]],
    ['alora_invocation_tokens', [5]],
    ['trainable_token_indices', [5]],
    ['target_parameters', ['x']],
    ['loftq_config', { loftq_bits: 4 }],
    ['corda_config', { corda_method: 'ipm' }],
    ['kasa_config', { beta: 1 }],
    ['monteclora_config', { n: 1 }],
    ['arrow_config', { top_k: 1 }],
    ['ensure_weight_tying', true],
    ['invented_by_a_later_version', 0.5],
    ['r', 0],
    ['r', '8'],
    ['lora_alpha', 'much'],
    ['use_rslora', 'yes'],
  ])('is refused with %s = %j, by name', async (setting, value) => {
    expect(await first({ [setting]: value })).toEqual(['UNSUPPORTED', setting]);
  });

  it('bounds the rank by the tensors', async () => {
    expect(await first({ r: 1e9 })).toEqual(['CHECKPOINT_MISMATCH', `${prefix}A.weight`]);
  });
});

describe('contractionAxes', () => {
  it('are those of the inputs, in every layout', () => {
    const ours = new Map(Object.entries(language.parameters).map(([name, { shape }]) => [name, shape]));
    expect(Object.fromEntries(contractionAxes(ours)!)).toEqual({
      'tokenEmbedding.weight': 1,
      'blocks.0.attention.qkv.weight': 0,
      'blocks.0.attention.projection.weight': 0,
      'blocks.0.mlp.up.weight': 0,
      'blocks.0.mlp.down.weight': 0,
    });
    const h = 'transformer.h.0';
    expect(Object.fromEntries(contractionAxes(foreignShapes(language, 'transformers'))!)).toEqual({
      'transformer.wte.weight': 1,
      [`${h}.attn.c_attn.weight`]: 0,
      [`${h}.attn.c_proj.weight`]: 0,
      [`${h}.mlp.c_fc.weight`]: 0,
      [`${h}.mlp.c_proj.weight`]: 0,
    });
    expect(
      contractionAxes([
        ['wte.weight', [7, 4]],
        ['h.0.attn.bias', [1, 1, 4, 4]],
        ['lm_head.weight', [7, 4]],
      ]),
    ).toEqual(
      new Map([
        ['wte.weight', 1],
        ['lm_head.weight', 1],
      ]),
    );
    const layer = (index: number) => {
      const name = `vit.encoder.layer.${index}`;
      return [
        ...['query', 'key', 'value'].map((part) => `${name}.attention.attention.${part}`),
        ...['attention.output.dense', 'intermediate.dense', 'output.dense'].map((part) => `${name}.${part}`),
      ];
    };
    const linear = [...layer(0), ...layer(1), 'classifier'].map((name): [string, number] => [`${name}.weight`, 1]);
    expect(new Map([...contractionAxes(foreignShapes(images, 'transformers'))!].sort())).toEqual(
      new Map(linear.sort()),
    );
    const block = (index: number) =>
      ['attn.qkv', 'attn.proj', 'mlp.fc1', 'mlp.fc2'].map((part) => `blocks.${index}.${part}.weight`);
    expect([...contractionAxes(foreignShapes(mean, 'timm'))!].sort()).toEqual(
      [...block(0), ...block(1), 'head.weight'].map((name) => [name, 1]).sort(),
    );
    expect(contractionAxes(Object.entries(images.parameters).map(([name, { shape }]) => [name, shape]))!.size).toBe(10);
    expect(contractionAxes([['model.layers.0.mlp.up_proj.weight', [8, 4]]])).toBeUndefined();
  });
});
