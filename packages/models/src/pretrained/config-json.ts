import { type ForeignSettings, foreignSettings } from '@lmd/core';
import { type Gpt2, gpt2 } from '../gpt2.js';
import type { Gpt2Config, ResolvedGpt2Config } from '../gpt2-config.js';
import { type Vit, vit } from '../vit.js';
import type { ResolvedVitConfig, VitConfig } from '../vit-config.js';
import { labelMaps } from './class-names.js';
import { gpt2Settings, vitSettings } from './transformers-settings.js';

export type PretrainedModel = Gpt2 | Vit;

/** A parsed `config.json`. */
export type ConfigJson = { readonly [name: string]: unknown };

const file = 'config.json';

/**
 * The model that a `config.json` of transformers describes (`model_type` `gpt2` or `vit`), with optional overrides.
 * Every setting is either used or known to have no effect. Dropout rates are not imported, since they are a choice of
 * each training run.
 *
 * @throws LmdError `UNSUPPORTED` for another architecture, a variant that our models do not have, or a setting that is
 *   not known, naming the setting and its value; `DATA_CORRUPT` for anything but an object.
 */
export function modelFromConfigJson(
  json: ConfigJson,
  overrides: Partial<Gpt2Config> & Partial<VitConfig> = {},
): PretrainedModel {
  const { architecture, options } = optionsOfConfigJson(json);
  return architecture === 'gpt2' ? gpt2({ ...options, ...overrides }) : vit({ ...options, ...overrides });
}

export type ConfiguredOptions =
  | { readonly architecture: 'gpt2'; readonly options: Gpt2Config }
  | { readonly architecture: 'vit'; readonly options: VitConfig };

/** The options of ours that a `config.json` of transformers stands for. */
export function optionsOfConfigJson(json: unknown): ConfiguredOptions {
  const kind = (json as { model_type?: unknown } | null | undefined)?.model_type;
  if (kind === 'gpt2') return { architecture: 'gpt2', options: gpt2FromJson(settingsOf(json, gpt2Settings)) };
  if (kind === 'vit') return { architecture: 'vit', options: vitFromJson(settingsOf(json, vitSettings)) };
  const known = {
    ...gpt2Settings,
    ...vitSettings,
    ...Object.fromEntries(Object.keys(json ?? {}).map((name) => [name, 'ignored' as const])),
  };
  return foreignSettings(json, { file, known }).refuse(
    'model_type',
    'Only "gpt2" and "vit" are supported. For timm models, pass the option model.',
  );
}

const settingsOf = (json: unknown, known: typeof gpt2Settings) => foreignSettings(json, { file, known });

/** What a `config.json` says beyond the geometry. */
export interface ConfigJsonOptions {
  /** Names of the classes of a ViT, by label. Default: the placeholders of transformers, `LABEL_0`, `LABEL_1`, …. */
  readonly classNames?: readonly string[] | undefined;
  /** The token between documents of a GPT-2. Default: that of GPT-2's tokenizer, if the vocabulary has it. */
  readonly endOfText?: number | undefined;
}

/** The `config.json` by which transformers loads what `exportPretrained` gives in its layout. */
export function configJsonOf(model: PretrainedModel, options: ConfigJsonOptions = {}): ConfigJson {
  return model.architecture === 'gpt2' ? gpt2ToJson(model.config, options) : vitToJson(model.config, options);
}

/**
 * The `generation_config.json` of a GPT-2: where a text begins and ends, which `generate` of transformers reads from
 * here and not from `config.json`.
 */
export function generationJsonOf({ config }: Gpt2, { endOfText }: ConfigJsonOptions = {}): ConfigJson {
  const token = endOfText ?? usualEndOfText(config);
  return { bos_token_id: token, eos_token_id: token, pad_token_id: token };
}

/** The token between documents, where the vocabulary is GPT-2's. */
const usualEndOfText = ({ vocabularySize }: ResolvedGpt2Config) => (vocabularySize > 50256 ? 50256 : null);

/** GELU by the error function, and its approximation by tanh, of which transformers has two implementations. */
const activations: { readonly [name: string]: 'none' | 'tanh' } = {
  gelu: 'none',
  gelu_python: 'none',
  gelu_new: 'tanh',
  gelu_pytorch_tanh: 'tanh',
};

function gpt2FromJson(settings: ForeignSettings): Gpt2Config {
  return {
    vocabularySize: settings.count('vocab_size'),
    contextLength: settings.count(settings.has('n_positions') ? 'n_positions' : 'n_ctx'),
    width: settings.count('n_embd'),
    depth: settings.count('n_layer'),
    heads: settings.count('n_head'),
    ...(settings.has('n_inner') ? { mlpWidth: settings.count('n_inner') } : {}),
    gelu: settings.choice('activation_function', activations, 'gelu_new'),
    layerNormEpsilon: settings.positive('layer_norm_epsilon', 1e-5),
  };
}

function gpt2ToJson(config: ResolvedGpt2Config, { endOfText }: ConfigJsonOptions): ConfigJson {
  const token = endOfText ?? usualEndOfText(config);
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
    bos_token_id: token,
    eos_token_id: token,
    dtype: 'float32',
  };
}

function vitFromJson(settings: ForeignSettings): VitConfig {
  const labels = settings.value('id2label');
  const classes =
    typeof labels === 'object' && labels !== null ? Object.keys(labels).length : settings.count('num_labels', 2);
  if (classes < 1) settings.refuse('id2label', 'It must have a name for each class.');
  return {
    imageSize: square(settings, 'image_size'),
    patchSize: square(settings, 'patch_size'),
    channels: settings.count('num_channels'),
    width: settings.count('hidden_size'),
    depth: settings.count('num_hidden_layers'),
    heads: settings.count('num_attention_heads'),
    mlpWidth: settings.count('intermediate_size'),
    classes,
    pooling: 'classToken',
    gelu: settings.choice('hidden_act', activations, 'gelu'),
    layerNormEpsilon: settings.positive('layer_norm_eps', 1e-12),
  };
}

function vitToJson(config: ResolvedVitConfig, { classNames }: ConfigJsonOptions): ConfigJson {
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
    ...labelMaps(config.classes, classNames),
    dtype: 'float32',
  };
}

/** One number, or two equal ones for height and width. */
export function square(settings: ForeignSettings, name: string): number {
  const value = settings.value(name);
  if (!Array.isArray(value)) return settings.count(name);
  const [height, width] = value;
  if (value.length === 2 && height === width && Number.isSafeInteger(height) && height > 0) return height;
  return settings.refuse(name, 'Images and patches must be square.');
}
