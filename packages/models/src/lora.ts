import {
  LmdError,
  type Model,
  type NamedTensors,
  type OptionsOf,
  type OptionTable,
  option,
  resolveOptions,
  type Tensor,
} from '@lmd/core';
import type { ParameterSpecifications } from './block-parameters.js';
import { type FineTuned, fineTuned, matchedWeights } from './fine-tuned.js';
import { fanIn, zeros } from './initialization.js';
import { type WeightMatch, weightMatchOption } from './weight-match.js';

/** The options of `lora`, declared once. */
export const loraOptionTable = {
  /** Rank of the adapters A·B. A whole number, at least 1; default 8. */
  rank: option.integer({ atLeast: 1, default: 8, describe: 'Rank of the adapters A·B.' }),
  /**
   * Scaling of the adapters: A·B is multiplied by alpha / rank. Default: the rank, so that the factor is 1. Above 0.
   */
  alpha: option.number({
    above: 0,
    describe: 'Scaling of the adapters: A·B is multiplied by alpha / rank. Default: the rank, so that the factor is 1.',
  }),
  /**
   * Matrices to adapt. Default: those of attention, `qkv` and `projection`. A name, a pattern or a function of name and
   * shape.
   */
  match: weightMatchOption('Matrices to adapt. Default: those of attention, `qkv` and `projection`.'),
  /**
   * Weights to train fully, such as a new head: `/^head\./`. Default: none. A name, a pattern or a function of name and
   * shape.
   */
  train: weightMatchOption('Weights to train fully, such as a new head: `/^head\\./`. Default: none.'),
} as const satisfies OptionTable;

export interface LoraOptions extends OptionsOf<typeof loraOptionTable> {}

/** A model whose weights are the adapters and the fully trained weights. */
export interface Lora extends FineTuned {
  readonly adapters: {
    readonly rank: number;
    readonly alpha: number;
    /** Names of the matrices with an adapter. */
    readonly matrices: readonly string[];
    /** Names of the fully trained weights. */
    readonly whole: readonly string[];
  };
}

const attentionMatrices = /\.attention\.(qkv|projection)\.weight$/;

/**
 * Low-rank adapters (Hu et al. 2021, arXiv:2106.09685): for each matched matrix W of the frozen `base`, the model
 * computes with W + (alpha / rank)·A·B. Its weights, gradients and optimizer state contain only the adapters. The
 * caller owns `base` and must not free it while the model is used.
 *
 * `blocks.0.mlp.up.weight` gets `blocks.0.mlp.up.loraA.weight` [inputs, rank], normal with standard deviation 1/√inputs
 * and trained by LMD (`lmdParameter`), and `blocks.0.mlp.up.loraB` [rank, outputs], initialized to zero, so that the
 * initial model equals the base, and trained by an additive optimizer. In low precision the sum is quantized: training
 * uses exactly the matrix that `merge` returns.
 */
export function lora(model: Model, base: NamedTensors, options: LoraOptions = {}): Lora {
  const { rank, alpha, matched, whole } = resolve(model, options);
  const scale = alpha / rank;
  const added: ParameterSpecifications = Object.assign(
    {},
    ...matched.map((name) => {
      const [inputs, outputs] = model.parameters[name]!.shape as readonly [number, number];
      return {
        [adapterNames(name).a]: { shape: [inputs, rank], initialization: fanIn(inputs) },
        [adapterNames(name).b]: { shape: [rank, outputs], initialization: zeros },
      };
    }),
  );
  const adapted = fineTuned({
    name: `${model.name}+lora${rank}`,
    model,
    base,
    whole,
    added,
    change: (ops, adapters) =>
      Object.fromEntries(
        matched.map((name): [string, Tensor] => {
          const { a, b } = adapterNames(name);
          const product = ops.scope(() => ops.multiply(ops.matmul(adapters[a]!, adapters[b]!), scale));
          return [name, ops.add(base[name]!, product)];
        }),
      ),
  });
  return { ...adapted, adapters: { rank, alpha, matrices: matched, whole } };
}

/** The names of the two factors of a matrix. */
export function adapterNames(weight: string): { readonly a: string; readonly b: string } {
  const layer = weight.replace(/\.?weight$/, '');
  const prefix = layer === '' ? '' : `${layer}.`;
  return { a: `${prefix}loraA.weight`, b: `${prefix}loraB` };
}

function resolve(model: Model, options: LoraOptions) {
  const { rank, match = attentionMatrices, train, ...rest } = resolveOptions('lora', loraOptionTable, options);
  const { alpha = rank } = rest;
  const chosen = (which: WeightMatch, subject: string) => matchedWeights('lora', model, which, subject);
  const matched = chosen(match, 'match');
  const whole = train === undefined ? [] : chosen(train, 'train');
  for (const name of matched) {
    const { shape } = model.parameters[name]!;
    if (shape.length !== 2) refuse(name, shape, 'Match only matrices.');
    if (whole.includes(name))
      refuse(name, shape, 'It is matched by both match and train. Match it with only one of them.');
    if (rank > Math.min(...shape)) refuse(name, shape, `rank is ${rank}. Use at most the smaller dimension.`);
  }
  return { rank, alpha, matched, whole };
}

function refuse(name: string, shape: readonly number[], remedy: string): never {
  throw new LmdError('INVALID_ARGUMENT', `lora: the weight "${name}" [${shape}] cannot have an adapter.`, {
    subject: name,
    value: shape,
    remedy,
  });
}
