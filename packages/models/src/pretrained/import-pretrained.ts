import {
  checkModelOperations,
  LmdError,
  type NamedTensors,
  type Operations,
  type PackedCodes,
  type PackedMatrices,
  type PackedMatrix,
  type Tensor,
} from '@lmd/core';
import type { Gpt2Config } from '../gpt2-config.js';
import { matrixAxes, packWeight } from '../packed-weights.js';
import type { VitConfig } from '../vit-config.js';
import { matchesWeight, type WeightMatch } from '../weight-match.js';
import type { Values } from './arrangement.js';
import { type ConfigJson, modelFromConfigJson, type PretrainedModel } from './config-json.js';
import { gpt2Layout, type Layout, vitTimmLayout, vitTransformersLayout } from './layouts.js';
import { type PretrainedTensor, type PretrainedTensors, readerOf, readTensor } from './tensors.js';

export interface ImportSource {
  /** The tensors, in the layout of transformers (GPT-2, ViT) or of timm (ViT); read one at a time. */
  readonly tensors: PretrainedTensors | { readonly [name: string]: PretrainedTensor };
  /** The parsed `config.json` of transformers. Pass this or `model`. */
  readonly config?: ConfigJson;
  /** Options of ours beside `config`, such as `dropout`. */
  readonly overrides?: Partial<Gpt2Config> & Partial<VitConfig>;
  /** The model that the tensors are for. */
  readonly model?: PretrainedModel;
  /**
   * Weights that begin afresh from a seed, such as a head for other classes: `{ match: /^head\./, seed: 1 }`. Their
   * tensors may be missing or of another shape, and are not read.
   */
  readonly initialize?: { readonly match: WeightMatch; readonly seed: number };
}

export interface Imported {
  readonly model: PretrainedModel;
  /** The caller's, by our names: all but the packed ones. */
  readonly weights: NamedTensors;
  /** The caller's: the matrices whose codes `tensors.packed` gave. */
  readonly packedWeights: PackedMatrices;
}

/**
 * Weights of a pretrained model by our names and in our shapes. The layout is recognised by the names; the prefixes
 * `transformer.` and `vit.` may be missing, as in files of models without a head.
 *
 * @throws LmdError `CHECKPOINT_MISMATCH` where the tensors are another architecture's, or some are missing, unexpected,
 *   untied or of another shape, naming them; `CHECKPOINT_CORRUPT` where one cannot be read, with the reason;
 *   `UNSUPPORTED` for a `config.json` that our models cannot follow. No tensor is left behind.
 */
export async function importPretrained(ops: Operations, source: ImportSource): Promise<Imported> {
  checkModelOperations(ops);
  const model = modelOf(source);
  const tensors = readerOf(source.tensors);
  const names = new Set(tensors.names);
  const layout = layoutOf(model, names);
  const prefixed = names.has(layout.landmark);
  const nameIn = (name: string): string =>
    prefixed || !name.startsWith(layout.prefix) ? name : name.slice(layout.prefix.length);
  const afresh = source.initialize === undefined ? new Set<string>() : matchedWeights(model, source.initialize.match);
  checkNames(layout, names, nameIn, afresh);

  const read = async (name: string, shape: readonly number[]): Promise<Values> => {
    const tensor = await readTensor(tensors, nameIn(name));
    if (tensor.shape.join() === shape.join()) return tensor.data;
    throw mismatch(
      nameIn(name),
      tensor.shape,
      `The tensor "${nameIn(name)}" has shape [${tensor.shape}], but this model needs [${shape}].`,
    );
  };

  const weights: Record<string, Tensor> = {};
  const packedWeights: Record<string, PackedMatrix> = {};
  const axes = model.architecture === 'gpt2' && tensors.packed !== undefined ? matrixAxes(model) : new Map();
  /**
   * The codes of a matrix that stays packed. Their shape is unchanged, since matrices of a GPT-2 are not transposed.
   */
  const codesOf = async (weight: string, name: string): Promise<PackedCodes | undefined> => {
    const axis = axes.get(weight);
    const codes = axis === undefined ? undefined : await tensors.packed?.(nameIn(name), axis);
    const { shape } = model.parameters[weight]!;
    if (codes === undefined || codes.shape.join() === shape.join()) return codes;
    const problem = `The tensor "${nameIn(name)}" has shape [${codes.shape}], but this model needs [${shape}].`;
    throw mismatch(nameIn(name), codes.shape, problem);
  };
  try {
    if (source.initialize !== undefined) Object.assign(weights, begin(ops, model, afresh, source.initialize.seed));
    for (const { weight, names: parts, arrangement } of layout.correspondences) {
      if (afresh.has(weight)) continue;
      const codes = await codesOf(weight, parts[0]!);
      if (codes !== undefined) {
        for (const [copy, original] of Object.entries(layout.tied)) {
          if (!parts.includes(original) || !names.has(copy)) continue;
          const other = await codesOf(weight, copy);
          if (!sameBytes(codes.codes, other?.codes) || !sameBytes(codes.scales, other?.scales))
            throw untied(copy, codes.shape);
        }
        packedWeights[weight] = packWeight(ops, weight, codes);
        continue;
      }
      const data: Values[] = [];
      for (const [i, part] of parts.entries()) data.push(await read(part, arrangement.shapes[i]!));
      for (const [copy, original] of Object.entries(layout.tied)) {
        if (parts.includes(original) && names.has(copy)) await checkTied(copy, read, arrangement.shapes[0]!, data[0]!);
      }
      weights[weight] = ops.fromData(arrangement.take(data), model.parameters[weight]!.shape);
    }
  } catch (error) {
    ops.dispose(weights);
    for (const { tensors } of Object.values(packedWeights)) ops.dispose(tensors);
    throw error;
  }
  // In the order of the forward pass, as a model's own.
  const ordered = Object.keys(model.parameters).filter((name) => !Object.hasOwn(packedWeights, name));
  return { model, weights: Object.fromEntries(ordered.map((name) => [name, weights[name]!])), packedWeights };
}

function begin(ops: Operations, model: PretrainedModel, afresh: ReadonlySet<string>, seed: number): NamedTensors {
  return ops.scope(() =>
    Object.fromEntries(Object.entries(model.initialize(ops, seed)).filter(([name]) => afresh.has(name))),
  );
}

function matchedWeights(model: PretrainedModel, match: WeightMatch): Set<string> {
  const names = Object.entries(model.parameters)
    .filter(([name, { shape }]) => matchesWeight(match, name, shape))
    .map(([name]) => name);
  if (names.length > 0) return new Set(names);
  throw new LmdError('INVALID_ARGUMENT', `importPretrained: initialize matches no weight of ${model.name}.`, {
    subject: 'initialize',
    value: match,
    remedy: `Its weights are ${Object.keys(model.parameters).join(', ')}.`,
  });
}

function modelOf({ model, config, overrides }: ImportSource): PretrainedModel {
  if (model === undefined && config !== undefined) return modelFromConfigJson(config, overrides);
  if (model !== undefined && config === undefined && overrides === undefined) return model;
  throw new LmdError('INVALID_ARGUMENT', 'importPretrained needs exactly one of config and model.', {
    subject: 'config',
    value: config,
    remedy: 'Pass the parsed config.json, optionally with overrides, or a model.',
  });
}

function layoutOf(model: PretrainedModel, names: ReadonlySet<string>): Layout {
  const layouts =
    model.architecture === 'gpt2' ? [gpt2Layout(model)] : [vitTransformersLayout(model), vitTimmLayout(model)];
  for (const layout of layouts) {
    const bare = layout.landmark.slice(layout.prefix.length);
    if (names.has(layout.landmark) || names.has(bare)) return layout;
  }
  const landmarks = layouts.map(({ landmark }) => landmark);
  throw mismatch(
    'tensors',
    [...names].slice(0, 5),
    `These are not the tensors of a ${model.architecture}: none is named ${landmarks.join(' or ')}. ` +
      `They begin with ${list([...names])}.`,
  );
}

function checkNames(
  layout: Layout,
  names: ReadonlySet<string>,
  nameIn: (name: string) => string,
  afresh: ReadonlySet<string>,
): void {
  const known = new Set(layout.correspondences.flatMap((entry) => entry.names.map(nameIn)));
  const needed = layout.correspondences.flatMap((entry) => (afresh.has(entry.weight) ? [] : entry.names.map(nameIn)));
  const missing = needed.filter((name) => !names.has(name));
  if (missing.length > 0)
    throw mismatch(missing[0]!, missing, `${missing.length} tensors are missing: ${list(missing)}.`);
  const unexpected = [...names].filter(
    (name) => !known.has(name) && !layout.ignores(name) && !Object.hasOwn(layout.tied, name),
  );
  if (unexpected.length === 0) return;
  throw mismatch(
    unexpected[0]!,
    unexpected,
    `${unexpected.length} tensors are not weights of this model: ${list(unexpected)}.`,
  );
}

async function checkTied(
  name: string,
  read: (name: string, shape: readonly number[]) => Promise<Values>,
  shape: readonly number[],
  original: Values,
): Promise<void> {
  const copy = await read(name, shape);
  if (copy.every((value, i) => Object.is(value, original[i]))) return;
  throw untied(name, shape);
}

function untied(name: string, shape: readonly number[]): LmdError {
  return mismatch(name, shape, `The tensor "${name}" differs from the token embedding, but this model ties the two.`);
}

function sameBytes(a: Uint8Array, b: Uint8Array | undefined): boolean {
  return b !== undefined && a.length === b.length && a.every((byte, i) => byte === b[i]);
}

function mismatch(subject: string, value: unknown, message: string): LmdError {
  return new LmdError('CHECKPOINT_MISMATCH', message, {
    subject,
    value,
    remedy: 'Use the configuration with which the weights were written.',
  });
}

function list(names: readonly string[]): string {
  const shown = names.slice(0, 5).join(', ');
  return names.length > 5 ? `${shown} and ${names.length - 5} more` : shown;
}
