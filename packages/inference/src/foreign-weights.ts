import type { EagerOperations, NamedTensors } from '@lmd/core';
import { importPretrained, type PackedModel, type PretrainedModel } from '@lmd/models';
import type { FormatName } from '@lmd/mx-formats';
import type { FreshWeights } from './fresh-weights.js';
import type { ModelTensors } from './model-tensors.js';

/** The weights of a model of another library by our names, owned by the caller. */
export async function foreignWeights(
  ops: EagerOperations,
  tensors: ModelTensors,
  model: PretrainedModel,
  fresh: FreshWeights | undefined,
): Promise<NamedTensors> {
  const { weights } = await importPretrained(ops, {
    tensors,
    model,
    ...(fresh === undefined
      ? {}
      : { initialize: { match: (name: string) => fresh.names.has(name), seed: fresh.seed } }),
  });
  for (const tensor of Object.values(weights)) ops.keep(tensor);
  return weights;
}

/** The same with matrices as packed codes. */
export async function foreignPackedModel(
  ops: EagerOperations,
  tensors: ModelTensors,
  model: PretrainedModel,
  format: FormatName | undefined,
): Promise<PackedModel> {
  const packed = (name: string, axis: number) => tensors.codes(name, axis, format);
  const imported = await importPretrained(ops, { tensors: { ...tensors, packed }, model });
  for (const tensor of Object.values(imported.weights)) ops.keep(tensor);
  return imported;
}
