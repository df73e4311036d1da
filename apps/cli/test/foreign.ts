import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type SafetensorsTensor, serializeSafetensors, tensorFrom } from '@lmd/safetensors';

export type Tensors = { [name: string]: SafetensorsTensor };

export function f32(shape: readonly number[], value: (index: number) => number = (i) => Math.sin(i + 1) / 10) {
  const count = shape.reduce((product, size) => product * size, 1);
  return tensorFrom(
    Float32Array.from({ length: count }, (_, i) => value(i)),
    shape,
  );
}

function saveFolder(folder: string, tensors: Tensors, config: unknown): string {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'model.safetensors'), serializeSafetensors({ tensors, metadata: { format: 'pt' } }));
  writeFileSync(join(folder, 'config.json'), typeof config === 'string' ? config : JSON.stringify(config));
  return folder;
}

export interface ForeignGpt2 {
  readonly vocabulary: number;
  readonly width?: number;
  readonly context?: number;
  readonly change?: (tensors: Tensors) => Tensors;
  /** Beside the usual settings of `config.json`, or its whole text. */
  readonly json?: object | string;
}

/** A folder as transformers writes it of a GPT-2 with one block and two heads. */
export function writeGpt2Folder(
  folder: string,
  { vocabulary, width = 8, context = 16, change = (tensors) => tensors, json = {} }: ForeignGpt2,
): string {
  const tensors: Tensors = {
    'transformer.wte.weight': f32([vocabulary, width]),
    'transformer.wpe.weight': f32([context, width]),
    'transformer.ln_f.weight': f32([width], () => 1),
    'transformer.ln_f.bias': f32([width]),
  };
  const vectors = { 'ln_1.weight': width, 'ln_1.bias': width, 'ln_2.weight': width, 'ln_2.bias': width };
  for (const [name, size] of Object.entries(vectors)) tensors[`transformer.h.0.${name}`] = f32([size]);
  for (const [name, [inputs, outputs]] of Object.entries({
    'attn.c_attn': [width, 3 * width],
    'attn.c_proj': [width, width],
    'mlp.c_fc': [width, 4 * width],
    'mlp.c_proj': [4 * width, width],
  } as const)) {
    tensors[`transformer.h.0.${name}.weight`] = f32([inputs, outputs]);
    tensors[`transformer.h.0.${name}.bias`] = f32([outputs]);
  }
  const sizes = {
    model_type: 'gpt2',
    vocab_size: vocabulary,
    n_positions: context,
    n_embd: width,
    n_layer: 1,
    n_head: 2,
  };
  return saveFolder(folder, change(tensors), typeof json === 'string' ? json : { ...sizes, ...json });
}

/** A folder as timm writes it of a ViT of 8 × 8 pixels, 4 classes, one block, width 16. */
export function writeTimmFolder(folder: string, json: object = {}, channels = 1): string {
  const tensors: Tensors = {
    cls_token: f32([1, 1, 16]),
    pos_embed: f32([1, 5, 16]),
    'patch_embed.proj.weight': f32([16, channels, 4, 4]),
    'patch_embed.proj.bias': f32([16]),
    'norm.weight': f32([16], () => 1),
    'norm.bias': f32([16]),
    'head.weight': f32([4, 16]),
    'head.bias': f32([4]),
  };
  for (const name of ['norm1', 'norm2']) {
    tensors[`blocks.0.${name}.weight`] = f32([16]);
    tensors[`blocks.0.${name}.bias`] = f32([16]);
  }
  for (const [name, [outputs, inputs]] of Object.entries({
    'attn.qkv': [48, 16],
    'attn.proj': [16, 16],
    'mlp.fc1': [64, 16],
    'mlp.fc2': [16, 64],
  } as const)) {
    tensors[`blocks.0.${name}.weight`] = f32([outputs, inputs]);
    tensors[`blocks.0.${name}.bias`] = f32([outputs]);
  }
  const config = { architecture: 'vit_tiny_patch4_8', num_classes: 4, num_features: 16, global_pool: 'token', ...json };
  return saveFolder(folder, tensors, config);
}

export function writeTensors(path: string, tensors: Tensors, metadata: { [name: string]: string } = {}): string {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, serializeSafetensors({ tensors, metadata }));
  return path;
}
