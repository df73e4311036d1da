import { checkModelOperations, LmdError, type NamedTensors, type Operations } from '@lmd/core';
import { checkWeights } from '../layers/parameters.js';
import type { ConfigJson, PretrainedModel } from './config-json.js';
import { describeExport, type ModelKnowledge } from './describe-export.js';
import { gpt2Layout, type Layout, vitTimmLayout, vitTransformersLayout } from './layouts.js';

/** A tensor in another library's layout, read from the backend when it is asked for. */
export interface ExportedTensor {
  readonly shape: readonly number[];
  read(): Promise<Float32Array>;
}

export interface ExportPretrainedOptions extends ModelKnowledge {
  /** Default `transformers`. */
  readonly layout?: Layout['name'];
}

export interface Exported {
  /** For `config.json`. */
  readonly config: ConfigJson;
  /** Further JSON files by name: `preprocessor_config.json` of a ViT, `generation_config.json` of a GPT-2. */
  readonly files: { readonly [name: string]: ConfigJson };
  /** In the order of the forward pass. The weights must live until they are read. */
  readonly tensors: { readonly [name: string]: ExportedTensor };
}

/**
 * Converts a model's weights to the names and shapes of another library, with the files that describe the model there:
 * `transformers` (`GPT2LMHeadModel`, `ViTForImageClassification`; default) or `timm`. Written to `model.safetensors`
 * beside `config.json` and `files`, that library loads it. GPT-2's output matrix is the token embedding there too, and
 * not written again. The files of a tokenizer are those of `tokenizerFiles` of `@lmd/data/text`.
 *
 * @throws LmdError `UNSUPPORTED` where the layout has no such model: mean pooling in transformers, GPT-2 or another ε
 *   of layer norms than 1e-6 in timm; `INVALID_ARGUMENT` for names or preprocessing that are not those of the model.
 */
export function exportPretrained(
  ops: Operations,
  model: PretrainedModel,
  weights: NamedTensors,
  options: ExportPretrainedOptions = {},
): Exported {
  checkModelOperations(ops);
  checkWeights(weights, model.parameters);
  const layout = exportLayoutOf(model, options.layout ?? 'transformers');
  const described = describeExport(model, layout.name, options);
  const tensors: { [name: string]: ExportedTensor } = {};
  for (const { weight, names, arrangement } of layout.correspondences) {
    for (const [i, part] of names.entries()) {
      tensors[part] = {
        shape: arrangement.shapes[i]!,
        read: async () => arrangement.give((await ops.read(weights[weight]!)) as Float32Array)[i] as Float32Array,
      };
    }
  }
  return { ...described, tensors };
}

/** @throws LmdError `UNSUPPORTED` where the layout has no such model. */
export function exportLayoutOf(model: PretrainedModel, name: string): Layout {
  if (name === 'transformers' && model.architecture === 'gpt2') return gpt2Layout(model);
  if (name === 'timm' && model.architecture === 'vit') return vitTimmLayout(model);
  if (name === 'transformers' && model.architecture === 'vit' && model.config.pooling === 'classToken') {
    return vitTransformersLayout(model);
  }
  throw new LmdError('UNSUPPORTED', `The layout ${JSON.stringify(name)} does not support ${model.name}.`, {
    subject: 'layout',
    value: name,
    remedy: 'Use "transformers" for GPT-2 and for a ViT with pooling "classToken", or "timm" for any ViT.',
  });
}
