import { createHash } from 'node:crypto';
import type { EagerOperations, Model, NamedTensors, Operations } from '@lmd/core';
import { openModelFile } from '@lmd/inference/node';
import { type FineTuned, type Gpt2, type Lora, lora, partlyTrained, type Vit } from '@lmd/models';
import { readTensors } from '@lmd/training';
import type { Configuration } from '../configuration/schema.js';
import { geometryOf } from '../data/index.js';
import { prepareModules } from '../modules/prepare.js';
import { buildModel, type Network } from './build-model.js';
import { type FineTuningPlan, planFineTuning } from './fine-tuning.js';

/** What a run trains: the whole network, from the seed or from given weights, or a part of it. */
export interface TrainedModel {
  /** The whole network, as it is exported. */
  readonly architecture: Network;
  /** The trained part. Its weights are those of the optimizer. */
  readonly model: Model;
  /** The trained part if it is adapters. */
  readonly adapted?: Lora;
  /** SHA-256 of the frozen weights, which are not part of a checkpoint. */
  readonly base?: string;
  /** The weights of `architecture` from those of `model`, all owned by the caller. */
  merge(ops: Operations, trained: NamedTensors): NamedTensors;
  /** Frees the frozen weights. */
  dispose(): void;
}

/**
 * Opens the model that a configuration trains.
 *
 * @throws LmdError if the file of its weights is missing, damaged or of another model.
 */
export async function openTrainedModel(ops: EagerOperations, configuration: Configuration): Promise<TrainedModel> {
  const { model: configured, data, fineTuning, seed } = configuration;
  await prepareModules(configuration, geometryOf);
  const architecture = buildModel(configured, data);
  if (configured.kind === 'module' || configured.weights === undefined) return wholeModel(architecture, architecture);
  const plan = fineTuning === undefined ? undefined : planFineTuning(fineTuning, architecture);
  const weights = await givenWeights(ops, configured.weights, buildModel(configured, data), plan?.fresh, seed);
  if (fineTuning === undefined || !plan!.freezes) {
    // Read to the host, since a resumed run does not need them on the device.
    const arrays = Object.entries(await readTensors(ops, weights));
    ops.dispose(weights);
    return wholeModel(architecture, {
      ...architecture,
      initialize: (ops) =>
        Object.fromEntries(arrays.map(([name, { data, shape }]) => [name, ops.fromData(data, shape)])),
    });
  }
  try {
    const model = partOf(architecture, weights, fineTuning.lora, plan!);
    return {
      architecture,
      model,
      ...('adapters' in model ? { adapted: model } : {}),
      base: await digestOf(ops, weights, plan!.train),
      merge: model.merge,
      dispose: () => ops.dispose(weights),
    };
  } catch (error) {
    ops.dispose(weights);
    throw error;
  }
}

function wholeModel(architecture: Network, model: Model): TrainedModel {
  return {
    architecture,
    model,
    merge: (ops, trained) =>
      Object.fromEntries(Object.entries(trained).map(([name, weight]) => [name, ops.reshape(weight, weight.shape)])),
    dispose() {},
  };
}

function partOf(
  architecture: Network,
  base: NamedTensors,
  adapters: NonNullable<Configuration['fineTuning']>['lora'],
  { targets, train }: FineTuningPlan,
): FineTuned | Lora {
  const trained = (name: string) => train.has(name);
  if (adapters === undefined) return partlyTrained(architecture, base, trained);
  const { rank, alpha } = adapters;
  return lora(architecture, base, {
    rank,
    ...(alpha === undefined ? {} : { alpha }),
    ...(targets === undefined ? {} : { match: (name: string) => targets.has(name) }),
    ...(train.size === 0 ? {} : { train: trained }),
  });
}

async function givenWeights(
  ops: EagerOperations,
  path: string,
  model: Gpt2 | Vit,
  fresh: ReadonlySet<string> | undefined,
  seed: number,
): Promise<NamedTensors> {
  const file = await openModelFile(path);
  try {
    return await file.weights(ops, model, fresh === undefined || fresh.size === 0 ? undefined : { names: fresh, seed });
  } finally {
    await file.close();
  }
}

/** SHA-256 of the frozen weights with their names, in order. */
async function digestOf(ops: EagerOperations, weights: NamedTensors, trained: ReadonlySet<string>): Promise<string> {
  const hash = createHash('sha256');
  for (const [name, weight] of Object.entries(weights)) {
    if (trained.has(name)) continue;
    const values = await ops.read(weight);
    hash.update(`${name} ${weight.shape.join()}\n`);
    hash.update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  }
  return hash.digest('hex');
}
