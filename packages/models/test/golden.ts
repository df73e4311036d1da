import { readFileSync } from 'node:fs';
import { parseSafetensors, toFloat32Array } from '@lmd/safetensors';
import type { ConfigJson, PretrainedTensor } from '../src/index.js';

interface Numbers {
  readonly shape: readonly number[];
  readonly data: readonly number[];
}

/** What `dev/parity/generate.py` wrote of one model. */
export interface Golden {
  readonly config: ConfigJson | undefined;
  readonly tensors: { readonly [name: string]: PretrainedTensor };
  readonly gradients: { readonly [name: string]: PretrainedTensor };
  readonly inputs: Numbers;
  readonly labels: Numbers;
  readonly logits: Numbers;
  readonly loss: number;
}

const pathOf = (file: string): URL => new URL(`./golden/${file}`, import.meta.url);
const json = (file: string) => JSON.parse(readFileSync(pathOf(file), 'utf8'));

/** All tensors of one safetensors file. */
export function fileTensors(file: string): { readonly [name: string]: PretrainedTensor } {
  const { tensors } = parseSafetensors(new Uint8Array(readFileSync(pathOf(file))));
  return Object.fromEntries(
    [...tensors].map(([name, tensor]) => [name, { shape: tensor.shape, data: toFloat32Array(tensor) }]),
  );
}

export function golden(name: 'gpt2' | 'vit-transformers' | 'vit-timm-class-token' | 'vit-timm-mean'): Golden {
  return {
    ...json(`${name}/golden.json`),
    config: name.includes('timm') ? undefined : json(`${name}/config.json`),
    gradients: fileTensors(`${name}/gradients/model.safetensors`),
    tensors:
      name === 'gpt2'
        ? {
            ...fileTensors('gpt2/model-00001-of-00002.safetensors'),
            ...fileTensors('gpt2/model-00002-of-00002.safetensors'),
          }
        : fileTensors(`${name}/model.safetensors`),
  };
}
