import { lmdParameter } from '../parameter-groups.js';
import { type LayoutName, layoutOfTensors } from './layout-of.js';

type Rule = (name: string, shape: readonly number[]) => number | undefined;

const rank2 =
  (axis: number, pattern: RegExp): Rule =>
  (name, shape) =>
    shape.length === 2 && pattern.test(name) ? axis : undefined;

const firstOf =
  (...rules: readonly Rule[]): Rule =>
  (name, shape) => {
    for (const rule of rules) {
      const axis = rule(name, shape);
      if (axis !== undefined) return axis;
    }
    return undefined;
  };

/**
 * The axis of the inputs of each matrix. Embeddings of positions and class tokens are added, not multiplied, and have
 * none.
 */
const rules: { readonly [layout in `${LayoutName} ${'gpt2' | 'vit'}`]?: Rule } = {
  // The token embedding is the transposed output matrix; all others are [inputs, outputs].
  'lmd gpt2': firstOf(rank2(1, /^tokenEmbedding\.weight$/), ours),
  'lmd vit': ours,
  // Conv1D is [inputs, outputs], and a head of its own is torch's Linear.
  'transformers gpt2': firstOf(
    rank2(1, /(^|\.)(wte|lm_head)\.weight$/),
    rank2(0, /(^|\.)h\.\d+\.(attn\.c_attn|attn\.c_proj|mlp\.c_fc|mlp\.c_proj)\.weight$/),
  ),
  'transformers vit': rank2(
    1,
    /(^|\.)encoder\.layer\.\d+\..*\.?(query|key|value|dense)\.weight$|(^|\.)(pooler\.dense|classifier)\.weight$/,
  ),
  'timm vit': rank2(1, /^blocks\.\d+\.(attn\.qkv|attn\.proj|mlp\.fc1|mlp\.fc2)\.weight$|^head\.weight$/),
};

function ours(name: string, shape: readonly number[]): number | undefined {
  return lmdParameter(name, shape) && shape.length === 2 ? 0 : undefined;
}

/**
 * The axis along which the forward product contracts each matrix of a model, which is the one that blocks run along: of
 * ours, and of GPT-2 and ViT in the layout of transformers or timm, recognised by the names. A matrix is [inputs,
 * outputs] here and in GPT-2's `Conv1D`, [outputs, inputs] in torch's `Linear`, and an embedding that is also the
 * output matrix is [tokens, inputs] everywhere. The convolution that embeds patches in other libraries is contracted
 * along three axes at once, and is left out.
 *
 * @returns by name, for the matrices alone; undefined for tensors of another model.
 */
export function contractionAxes(
  tensors: Iterable<readonly [name: string, shape: readonly number[]]>,
): ReadonlyMap<string, number> | undefined {
  const shapes = new Map(tensors);
  const recognized = layoutOfTensors(shapes.keys());
  if (recognized === undefined) return undefined;
  const rule = rules[`${recognized.layout} ${recognized.architecture}`]!;
  const axes = [...shapes].flatMap(([name, shape]): [string, number][] => {
    const axis = rule(name, shape);
    return axis === undefined ? [] : [[name, axis]];
  });
  return new Map(axes);
}
