import { checkModelOperations, LmdError, type NamedTensors, type Operations } from '@lmd/core';
import type { PretrainedModel } from '@lmd/models';
import { gpt2Graph } from './gpt2-graph.js';
import { mostBytes, type OnnxFile, onnxFiles, type ReadableWeight } from './serialize.js';
import { vitGraph } from './vit-graph.js';

export interface ExportOnnxOptions {
  /**
   * Of a GPT-2: whether the graph takes and returns keys and values of earlier positions, as transformers.js and
   * optimum expect. Default true.
   */
  readonly cache?: boolean;
  /** File name of the model. Default `model.onnx`. */
  readonly name?: string;
  /**
   * Above this size the weights are in files of their own, `<name>_data`, `<name>_data_1`, …, each of at most this
   * size. Default and maximum 2^31 − 1, the limit of the format.
   */
  readonly maxFileBytes?: number;
}

/**
 * A model as ONNX, opset 17, weights and arithmetic in f32 without quantization: names of inputs and outputs are those
 * of transformers (`pixel_values`; `input_ids`, `attention_mask`, `position_ids`, `past_key_values.N.key`, …;
 * `logits`).
 *
 * @param weights by our names; they must live until all files are written.
 * @returns the model first, then the files of external data, if any.
 * @throws LmdError `INVALID_ARGUMENT` for options or weights that are not those of the model.
 */
export function exportOnnx(
  ops: Operations,
  model: PretrainedModel,
  weights: NamedTensors,
  { cache, name = 'model.onnx', maxFileBytes = mostBytes }: ExportOnnxOptions = {},
): readonly OnnxFile[] {
  checkModelOperations(ops);
  if (cache !== undefined && model.architecture === 'vit')
    throw invalid('cache', cache, 'Omit it: a ViT has no cache.');
  if (!Number.isSafeInteger(maxFileBytes) || maxFileBytes < 1) {
    throw invalid('maxFileBytes', maxFileBytes, 'Use a positive whole number of bytes.');
  }
  const tensors = Object.entries(model.parameters).map(([parameter, { shape }]): ReadableWeight => {
    const weight = weights[parameter];
    if (weight === undefined || weight.shape.join() !== shape.join()) {
      const given = weight === undefined ? 'is missing' : `has shape [${weight.shape}]`;
      throw new LmdError('SHAPE_MISMATCH', `The weight "${parameter}" ${given}, but ${model.name} needs [${shape}].`, {
        subject: parameter,
        value: weight?.shape,
        remedy: 'Pass the weights of this model.',
      });
    }
    return { name: parameter, shape, read: async () => (await ops.read(weight)) as Float32Array };
  });
  const graph = model.architecture === 'vit' ? vitGraph(model) : gpt2Graph(model, cache ?? true);
  return onnxFiles(graph, tensors, { name, maxFileBytes });
}

function invalid(subject: string, value: unknown, remedy: string): LmdError {
  return new LmdError('INVALID_ARGUMENT', `exportOnnx: ${subject} is ${String(value)}. ${remedy}`, { subject, value });
}
