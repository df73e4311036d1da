import { LmdError } from '@lmd/core';
import { type Gpt2, gpt2 } from '../gpt2.js';
import type { Gpt2Config } from '../gpt2-config.js';
import { type Vit, vit } from '../vit.js';
import type { VitConfig } from '../vit-config.js';

export type PretrainedModel = Gpt2 | Vit;

/** A parsed `config.json`. */
export type ConfigJson = { readonly [name: string]: unknown };

/**
 * The model that a `config.json` of transformers describes (`model_type` `gpt2` or `vit`), with some of our options replaced.
 * Dropout rates are not taken over: they are a choice of each training run.
 *
 * @throws LmdError `UNSUPPORTED` for another architecture, or a variant that our models do not have, naming the setting.
 */
export function modelFromConfigJson(
  json: ConfigJson,
  overrides: Partial<Gpt2Config> & Partial<VitConfig> = {},
): PretrainedModel {
  if (json.model_type === 'gpt2') return gpt2({ ...gpt2FromJson(json), ...overrides });
  if (json.model_type === 'vit') return vit({ ...vitFromJson(json), ...overrides });
  throw unsupported('model_type', json.model_type, 'Import "gpt2" or "vit"; timm models by a model of your own.');
}

/** The `config.json` by which transformers loads what `exportPretrained` gives in its layout. */
export function configJsonOf(model: PretrainedModel): ConfigJson {
  return model.architecture === 'gpt2' ? gpt2ToJson(model.config) : vitToJson(model.config);
}

const endOfText = 50256;

const activations = { gelu: 'none', gelu_new: 'tanh', gelu_pytorch_tanh: 'tanh' } as const;

function gpt2FromJson(json: ConfigJson): Gpt2Config {
  for (const [name, usual] of Object.entries({
    scale_attn_weights: true,
    scale_attn_by_inverse_layer_idx: false,
    add_cross_attention: false,
    tie_word_embeddings: true,
  })) {
    if ((json[name] ?? usual) !== usual) throw unsupported(name, json[name], `It must be ${usual}.`);
  }
  return {
    vocabularySize: integer(json, 'vocab_size'),
    contextLength: integer(json, json.n_positions === undefined ? 'n_ctx' : 'n_positions'),
    width: integer(json, 'n_embd'),
    depth: integer(json, 'n_layer'),
    heads: integer(json, 'n_head'),
    ...(json.n_inner == null ? {} : { mlpWidth: integer(json, 'n_inner') }),
    gelu: activation(json, 'activation_function', 'gelu_new'),
    layerNormEpsilon: epsilon(json, 'layer_norm_epsilon', 1e-5),
  };
}

function gpt2ToJson(config: Required<Gpt2Config>): ConfigJson {
  return {
    architectures: ['GPT2LMHeadModel'],
    model_type: 'gpt2',
    vocab_size: config.vocabularySize,
    n_positions: config.contextLength,
    n_embd: config.width,
    n_layer: config.depth,
    n_head: config.heads,
    n_inner: config.mlpWidth,
    activation_function: config.gelu === 'tanh' ? 'gelu_new' : 'gelu',
    layer_norm_epsilon: config.layerNormEpsilon,
    resid_pdrop: config.dropout,
    embd_pdrop: config.dropout,
    attn_pdrop: config.attentionDropout,
    tie_word_embeddings: true,
    // The token between documents, where the vocabulary is GPT-2's.
    bos_token_id: config.vocabularySize > endOfText ? endOfText : null,
    eos_token_id: config.vocabularySize > endOfText ? endOfText : null,
    dtype: 'float32',
  };
}

function vitFromJson(json: ConfigJson): VitConfig {
  if ((json.qkv_bias ?? true) !== true) throw unsupported('qkv_bias', json.qkv_bias, 'It must be true.');
  const labels = json.id2label;
  const classes = typeof labels === 'object' && labels !== null ? Object.keys(labels).length : (json.num_labels ?? 2);
  return {
    imageSize: square(json, 'image_size'),
    patchSize: square(json, 'patch_size'),
    channels: integer(json, 'num_channels'),
    width: integer(json, 'hidden_size'),
    depth: integer(json, 'num_hidden_layers'),
    heads: integer(json, 'num_attention_heads'),
    mlpWidth: integer(json, 'intermediate_size'),
    classes: integer({ classes }, 'classes'),
    pooling: 'classToken',
    gelu: activation(json, 'hidden_act', 'gelu'),
    layerNormEpsilon: epsilon(json, 'layer_norm_eps', 1e-12),
  };
}

function vitToJson(config: Required<VitConfig>): ConfigJson {
  const labels = Array.from({ length: config.classes }, (_, label) => [`${label}`, `LABEL_${label}`] as const);
  return {
    architectures: ['ViTForImageClassification'],
    model_type: 'vit',
    image_size: config.imageSize,
    patch_size: config.patchSize,
    num_channels: config.channels,
    hidden_size: config.width,
    num_hidden_layers: config.depth,
    num_attention_heads: config.heads,
    intermediate_size: config.mlpWidth,
    hidden_act: config.gelu === 'tanh' ? 'gelu_pytorch_tanh' : 'gelu',
    layer_norm_eps: config.layerNormEpsilon,
    hidden_dropout_prob: config.dropout,
    attention_probs_dropout_prob: config.attentionDropout,
    qkv_bias: true,
    id2label: Object.fromEntries(labels),
    label2id: Object.fromEntries(labels.map(([label, name]) => [name, Number(label)])),
    dtype: 'float32',
  };
}

function integer(json: ConfigJson, name: string): number {
  const value = json[name];
  if (Number.isSafeInteger(value) && (value as number) > 0) return value as number;
  throw unsupported(name, value, 'It must be a positive integer.');
}

/** One number, or two equal ones for height and width. */
function square(json: ConfigJson, name: string): number {
  const value = json[name];
  const sides = Array.isArray(value) ? value : [value, value];
  if (sides.length === 2 && sides[0] === sides[1]) return integer({ [name]: sides[0] }, name);
  throw unsupported(name, value, 'Images and patches must be square.');
}

function epsilon(json: ConfigJson, name: string, usual: number): number {
  const value = json[name] ?? usual;
  if (typeof value === 'number' && value > 0 && value < 1) return value;
  throw unsupported(name, value, 'It must be a small positive number.');
}

function activation(json: ConfigJson, name: string, usual: keyof typeof activations): 'none' | 'tanh' {
  const value = json[name] ?? usual;
  if (typeof value === 'string' && Object.hasOwn(activations, value)) {
    return activations[value as keyof typeof activations];
  }
  throw unsupported(name, value, `Use one of ${Object.keys(activations).join(', ')}.`);
}

function unsupported(name: string, value: unknown, remedy: string): LmdError {
  return new LmdError('UNSUPPORTED', `config.json has ${name} = ${JSON.stringify(value)}.`, {
    subject: name,
    value,
    remedy,
  });
}
