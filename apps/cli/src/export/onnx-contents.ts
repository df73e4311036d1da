import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { EagerOperations, NamedTensors } from '@lmd/core';
import type { ModelFile } from '@lmd/inference';
import { describeExport, type PretrainedModel } from '@lmd/models';
import { exportOnnx } from '@lmd/onnx';
import { withFileErrors } from '@lmd/training/node';
import { type Contents, describedBy, jsonFiles, textsOf } from './contents.js';
import { knowledgeOf } from './knowledge.js';

/** The folder in which transformers.js looks for models, and the name of its f32 model. */
const onnxFolder = 'onnx';
const modelName = 'model.onnx';

/**
 * A model as ONNX in the files that transformers.js loads. With `transformers.js_config` it takes the f32 model and the
 * files of external data by itself.
 *
 * @param cache of a GPT-2: whether the model takes and returns keys and values.
 */
export async function onnxContents(
  ops: EagerOperations,
  model: PretrainedModel,
  weights: NamedTensors,
  file: ModelFile,
  cache: boolean,
): Promise<Contents> {
  const knowledge = await knowledgeOf(file, model);
  const { config, files } = describeExport(model, 'onnx', describedBy(model, knowledge));
  const parts = exportOnnx(ops, model, weights, {
    name: modelName,
    ...(model.architecture === 'gpt2' ? { cache } : {}),
  });
  const dataFiles = parts.length - 1;
  const settings = {
    dtype: 'fp32',
    ...(dataFiles === 0 ? {} : { use_external_data_format: { [modelName]: dataFiles } }),
  };
  return {
    tensors: Object.keys(weights).length,
    bytes: parts.reduce((sum, { byteLength }) => sum + byteLength, 0),
    texts: {
      ...jsonFiles({ 'config.json': { ...config, 'transformers.js_config': settings }, ...files }),
      ...(await textsOf(model, knowledge)),
    },
    async writeWeights(folder) {
      await mkdir(join(folder, onnxFolder));
      for (const { name, chunks } of parts) {
        const path = join(folder, onnxFolder, name);
        await withFileErrors('write', path, () => pipeline(Readable.from(chunks()), createWriteStream(path)));
      }
      return parts.map(({ name }) => `${onnxFolder}/${name}`);
    },
  };
}
