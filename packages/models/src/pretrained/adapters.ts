import { checkModelOperations, LmdError, type NamedTensors, type Operations } from '@lmd/core';
import { checkWeights } from '../layers/parameters.js';
import { adapterNames, type Lora } from '../lora.js';
import { adapterScale } from './adapter-settings.js';
import type { Values } from './arrangement.js';
import type { PretrainedModel } from './config-json.js';
import { type ExportedTensor, exportLayoutOf } from './export-pretrained.js';
import { type Correspondence, gpt2Layout, type Layout, vitTimmLayout, vitTransformersLayout } from './layouts.js';
import { type PretrainedTensor, type PretrainedTensors, readerOf, readTensor } from './tensors.js';

/** A parsed `adapter_config.json` of PEFT. */
export type AdapterConfigJson = { readonly [name: string]: unknown };

export interface ExportAdaptersOptions {
  /** The library that the base model is in. Default `transformers`. */
  readonly layout?: Layout['name'];
  /** Name or folder of the base model, for `base_model_name_or_path`. Default none. */
  readonly baseModel?: string;
}

export interface ExportedAdapters {
  /** For `adapter_config.json`. */
  readonly config: AdapterConfigJson;
  /** For `adapter_model.safetensors`. The weights must live until they are read. */
  readonly tensors: { readonly [name: string]: ExportedTensor };
}

export interface AdapterSource {
  readonly tensors: PretrainedTensors | { readonly [name: string]: PretrainedTensor };
  /** The parsed `adapter_config.json`. */
  readonly config: AdapterConfigJson;
}

const wrapper = 'base_model.model.';

/** transformers 5 names ViT's modules anew, and its files as before; adapters carry the names of the modules. */
const renamed: readonly (readonly [RegExp, string])[] = [
  [/\bvit\.encoder\.layer\./, 'vit.layers.'],
  [
    /\.attention\.attention\.(q)uery\b|\.attention\.attention\.(k)ey\b|\.attention\.attention\.(v)alue\b/,
    '.attention.$1$2$3_proj',
  ],
  [/\.attention\.output\.dense\b/, '.attention.o_proj'],
  [/\.intermediate\.dense\b/, '.mlp.fc1'],
  [/\.output\.dense\b/, '.mlp.fc2'],
];
const moduleName = (name: string): string => renamed.reduce((text, [from, to]) => text.replace(from, to), name);

/** A layout under the names that modules have in memory. */
const inMemory = ({ correspondences }: Layout): readonly Correspondence[] =>
  correspondences.map((entry) => ({ ...entry, names: entry.names.map(moduleName) }));

const linear = /(\.(qkv|projection|up|down)|^head)\.weight$/;

/**
 * Low-rank adapters and what is trained whole beside them, as PEFT 0.21 stores them (`LoraConfig`): `lora_A` [rank,
 * inputs] and `lora_B` [outputs, rank] of each linear module; modules trained whole under `modules_to_save`. Written as
 * `adapter_model.safetensors` beside `adapter_config.json`, `PeftModel.from_pretrained` puts them on the base model. If
 * the other library splits one of our matrices, as transformers does for queries, keys and values of ViT, each part
 * gets the same `lora_A` and its rows of `lora_B`. Modules of ViT have the names of transformers 5.
 *
 * @param model the network that `adapted` was made of.
 * @param trained weights of `adapted`.
 * @throws LmdError `UNSUPPORTED` for what PEFT cannot hold: an adapter of something else than a linear layer, or a part
 *   of a module that is trained whole; and for a layout that has no such model.
 */
export function exportAdapters(
  ops: Operations,
  model: PretrainedModel,
  adapted: Lora,
  trained: NamedTensors,
  { layout: name = 'transformers', baseModel }: ExportAdaptersOptions = {},
): ExportedAdapters {
  checkModelOperations(ops);
  checkWeights(trained, adapted.parameters);
  const { rank, alpha, matrices, whole } = adapted.adapters;
  const correspondences = inMemory(exportLayoutOf(model, name));
  const found = (weight: string) => correspondences.find((entry) => entry.weight === weight)!;
  const tensors: { [name: string]: ExportedTensor } = {};
  const targets: string[] = [];
  for (const weight of matrices) {
    if (!linear.test(weight))
      throw unsupported(weight, `PEFT supports adapters only of linear layers, not of ${weight}.`);
    const { names } = found(weight);
    const [inputs, outputs] = model.parameters[weight]!.shape as readonly [number, number];
    const { a, b } = adapterNames(weight);
    const rows = outputs / names.length;
    for (const [part, tensor] of names.entries()) {
      const module = moduleOf(tensor);
      targets.push(module);
      tensors[`${wrapper}${module}.lora_A.weight`] = {
        shape: [rank, inputs],
        read: async () => transposed((await ops.read(trained[a]!)) as Values, inputs, rank, 0, rank),
      };
      tensors[`${wrapper}${module}.lora_B.weight`] = {
        shape: [rows, rank],
        read: async () => transposed((await ops.read(trained[b]!)) as Values, rank, outputs, part * rows, rows),
      };
    }
  }
  const saved = modulesOf(correspondences, whole);
  for (const { weight, names, arrangement } of saved.entries) {
    for (const [part, tensor] of names.entries()) {
      tensors[`${wrapper}${tensor}`] = {
        shape: arrangement.shapes[part]!,
        read: async () => arrangement.give((await ops.read(trained[weight]!)) as Values)[part] as Float32Array,
      };
    }
  }
  return {
    tensors,
    config: {
      peft_type: 'LORA',
      task_type: model.architecture === 'gpt2' ? 'CAUSAL_LM' : null,
      base_model_name_or_path: baseModel ?? null,
      r: rank,
      lora_alpha: alpha,
      lora_dropout: 0,
      bias: 'none',
      // GPT-2's Conv1D stores [inputs, outputs].
      fan_in_fan_out: model.architecture === 'gpt2',
      target_modules: targets,
      modules_to_save: saved.modules.length === 0 ? null : saved.modules,
      inference_mode: true,
    },
  };
}

/** Whole modules of the other library that `weights` fill. */
function modulesOf(correspondences: readonly Correspondence[], weights: readonly string[]) {
  const entries = correspondences.filter(({ weight }) => weights.includes(weight));
  // A parameter that is in no module of its own, or, the embedding of tokens, in two.
  const bare = entries.find(({ names }) =>
    names.some((name) => !/\.(weight|bias)$/.test(name) || /\bwte\b/.test(name)),
  );
  if (bare !== undefined) {
    throw unsupported(
      bare.weight,
      `${bare.weight} is fully trained, but PEFT has no module that contains only this weight.`,
    );
  }
  const given = new Set(entries.flatMap(({ names }) => names));
  const modules = [...new Set([...given].map(moduleOf))];
  const needed = correspondences.filter(({ names }) => names.some((name) => modules.includes(moduleOf(name))));
  const missing = needed.find(({ weight }) => !weights.includes(weight));
  if (missing !== undefined) {
    throw unsupported(
      missing.weight,
      `PEFT stores complete modules, but ${missing.weight} of a module is not trained.`,
    );
  }
  return { entries, modules };
}

const moduleOf = (tensor: string): string => tensor.slice(0, Math.max(0, tensor.lastIndexOf('.')));

/** `count` columns of a matrix [rows, columns], from `first` on, as rows. */
function transposed(values: Values, rows: number, columns: number, first: number, count: number): Float32Array {
  const out = new Float32Array(count * rows);
  for (let column = 0; column < count; column++) {
    for (let row = 0; row < rows; row++) out[column * rows + row] = values[row * columns + first + column]!;
  }
  return out;
}

/**
 * A model's weights with low-rank adapters of PEFT merged into them: W + (alpha / rank)·B·A of each adapted module,
 * summed in float64, with modules under `modules_to_save` replacing those of the base. Returns new handles, owned by
 * the caller.
 *
 * @throws LmdError `CHECKPOINT_MISMATCH` where the adapters are of another model, naming a tensor; `CHECKPOINT_CORRUPT`
 *   where one cannot be read; `UNSUPPORTED` for another kind of adapter (DoRA, PiSSA, biases, ranks that differ by
 *   module, …) and for a setting that is not known, naming it and its value.
 */
export async function mergeAdapters(
  ops: Operations,
  model: PretrainedModel,
  base: NamedTensors,
  { tensors: source, config }: AdapterSource,
): Promise<NamedTensors> {
  checkModelOperations(ops);
  checkWeights(base, model.parameters);
  const scaled = adapterScale(config);
  const given = openAdapters(source, model.name);
  const merged: { [name: string]: NamedTensors[string] } = {};
  try {
    for (const entry of correspondencesOf(model, given.names)) {
      const { shape } = model.parameters[entry.weight]!;
      const own = base[entry.weight]!;
      const replaced = await replacement(given, entry);
      const change = replaced === undefined ? await changeOf(given, entry, model.architecture, scaled) : undefined;
      if (replaced !== undefined) merged[entry.weight] = ops.fromData(replaced, shape);
      else if (change === undefined) merged[entry.weight] = ops.reshape(own, shape);
      else merged[entry.weight] = ops.scope(() => ops.add(own, ops.fromData(change, shape)));
    }
    given.checkAllKnown();
  } catch (error) {
    ops.dispose(merged);
    throw error;
  }
  return merged;
}

/** The tensors of adapters by the names that modules have in memory. */
function openAdapters(source: AdapterSource['tensors'], model: string) {
  const tensors = readerOf(source);
  const stored = new Map([...tensors.names].map((name) => [moduleName(name), name]));
  const names: ReadonlySet<string> = new Set(stored.keys());
  const known = new Set<string>();
  return {
    names,
    has(name: string): boolean {
      known.add(name);
      return names.has(name);
    },
    async read(name: string, shape: readonly number[]): Promise<Values> {
      if (!names.has(name)) throw mismatch(name, `The tensor "${name}" is missing.`);
      const tensor = await readTensor(tensors, stored.get(name)!);
      if (tensor.shape.join() === shape.join()) return tensor.data;
      throw mismatch(name, `The tensor "${name}" has shape [${tensor.shape}], and ${model} needs [${shape}].`);
    },
    /** Throws if there is a tensor that was not read. */
    checkAllKnown(): void {
      const strange = [...names].find((name) => !known.has(name));
      if (strange !== undefined) throw mismatch(strange, `The tensor "${strange}" is not part of ${model}.`);
    },
  };
}

type Adapters = ReturnType<typeof openAdapters>;

/** The values of a weight that was trained whole. */
async function replacement({ has, read }: Adapters, { names, arrangement }: Correspondence) {
  if (!names.map((name) => has(`${wrapper}${name}`)).includes(true)) return undefined;
  const parts = await Promise.all(names.map((name, i) => read(`${wrapper}${name}`, arrangement.shapes[i]!)));
  return Float32Array.from(arrangement.take(parts));
}

/** What adapters add to a weight, in our arrangement. */
async function changeOf(
  { has, read }: Adapters,
  { weight, names, arrangement }: Correspondence,
  architecture: PretrainedModel['architecture'],
  scaled: { readonly rank: number; readonly scale: number },
): Promise<Float32Array | undefined> {
  const factors = names.map((name) => ['A', 'B'].map((factor) => `${wrapper}${moduleOf(name)}.lora_${factor}.weight`));
  const adapted = factors.map((pair, i) => pair.map(has).includes(true) && names[i]!.endsWith('.weight'));
  if (!adapted.includes(true)) return undefined;
  if (!linear.test(weight))
    throw unsupported(weight, `Only adapters of linear layers are supported, not of ${weight}.`);
  const isConv1d = architecture === 'gpt2';
  const changes = await Promise.all(
    factors.map(async ([nameA, nameB], i) => {
      const [rows, columns] = arrangement.shapes[i] as readonly [number, number];
      if (!adapted[i]) return new Float64Array(rows * columns);
      // GPT-2's Conv1D stores [inputs, outputs], torch's Linear the reverse.
      const [inputs, outputs] = isConv1d ? [rows, columns] : [columns, rows];
      const a = await read(nameA!, [scaled.rank, inputs]);
      const b = await read(nameB!, [outputs, scaled.rank]);
      const step = isConv1d ? { input: outputs, output: 1 } : { input: 1, output: inputs };
      return product(a, b, { ...scaled, inputs, outputs, step });
    }),
  );
  return Float32Array.from(arrangement.take(changes));
}

interface ProductShape {
  readonly rank: number;
  readonly inputs: number;
  readonly outputs: number;
  readonly scale: number;
  /** Distance of neighbours in the result. */
  readonly step: { readonly input: number; readonly output: number };
}

/** scale · B·A, B [outputs, rank] and A [rank, inputs]. */
function product(a: Values, b: Values, { rank, inputs, outputs, scale, step }: ProductShape): Float64Array {
  const out = new Float64Array(inputs * outputs);
  for (let output = 0; output < outputs; output++) {
    for (let input = 0; input < inputs; input++) {
      let sum = 0;
      for (let k = 0; k < rank; k++) sum += b[output * rank + k]! * a[k * inputs + input]!;
      out[output * step.output + input * step.input] = scale * sum;
    }
  }
  return out;
}

/** The layout in which the adapters' modules are found. */
function correspondencesOf(model: PretrainedModel, names: ReadonlySet<string>): readonly Correspondence[] {
  const layouts =
    model.architecture === 'gpt2'
      ? [gpt2Layout(model)]
      : [...(model.config.pooling === 'classToken' ? [vitTransformersLayout(model)] : []), vitTimmLayout(model)];
  const modules = [...names].map((name) => moduleOf(name.replace(/\.lora_[AB]\.weight$/, '.weight')));
  for (const correspondences of layouts.map(inMemory)) {
    const own = new Set(correspondences.flatMap((entry) => entry.names.map((name) => wrapper + moduleOf(name))));
    if (modules.some((module) => own.has(module))) return correspondences;
  }
  throw mismatch(
    [...names][0] ?? 'tensors',
    `These adapters are of another model than ${model.name}: the first is ${[...names][0] ?? 'missing'}.`,
  );
}

function mismatch(subject: string, message: string): LmdError {
  return new LmdError('CHECKPOINT_MISMATCH', message, {
    subject,
    remedy: 'Use the model on which the adapters were trained.',
  });
}

function unsupported(subject: string, message: string): LmdError {
  return new LmdError('UNSUPPORTED', message, {
    subject,
    remedy: 'Merge the adapters, and export the whole model.',
  });
}
