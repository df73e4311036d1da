import { readFileSync } from 'node:fs';
import { parseSafetensors, toFloat32Array } from '@lmd/safetensors';
import { type ConfigJson, type PretrainedTensor, type PretrainedTensors, shardedTensors } from '../src/index.js';

interface Numbers {
  readonly shape: readonly number[];
  readonly data: readonly number[];
}

/** What `tools/parity/generate.py` wrote of one model. */
export interface Golden {
  readonly config: ConfigJson | undefined;
  readonly tensors: PretrainedTensors;
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

export function recordReader(record: { readonly [name: string]: PretrainedTensor }): PretrainedTensors {
  return { names: Object.keys(record), read: (name) => record[name]! };
}

export function golden(name: 'gpt2' | 'vit-transformers' | 'vit-timm-class-token' | 'vit-timm-mean'): Golden {
  return {
    ...json(`${name}/golden.json`),
    config: name.includes('timm') ? undefined : json(`${name}/config.json`),
    gradients: fileTensors(`${name}/gradients/model.safetensors`),
    tensors:
      name === 'gpt2'
        ? shardedTensors(json('gpt2/model.safetensors.index.json'), (file) => recordReader(fileTensors(`gpt2/${file}`)))
        : recordReader(fileTensors(`${name}/model.safetensors`)),
  };
}
