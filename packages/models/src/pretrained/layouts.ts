import type { Gpt2 } from '../gpt2.js';
import type { Vit } from '../vit.js';
import { type Arrangement, convolution, ends, same, transposed } from './arrangement.js';

/** Where one of our weights is found in another library's files. */
export interface Correspondence {
  /** Our weight. */
  readonly weight: string;
  /** Their tensors, as many as the arrangement has shapes. */
  readonly names: readonly string[];
  readonly arrangement: Arrangement;
}

/** The names that a library gives to the weights of one architecture. */
export interface Layout {
  readonly name: 'transformers' | 'timm';
  readonly correspondences: readonly Correspondence[];
  /** The tensor by which the layout is recognised. */
  readonly landmark: string;
  /** What may stand before every name but those of the head, or be left out. */
  readonly prefix: string;
  /** True for names that are no weights, or weights that say nothing new. */
  readonly ignores: (name: string) => boolean;
  /** Tensors that a file may hold besides, and that must then equal the one they are tied to. */
  readonly tied: { readonly [name: string]: string };
}

type Pair = readonly [weight: string, names: string | readonly string[], arrangement: Arrangement];

const correspond = (pairs: readonly Pair[]): Correspondence[] =>
  pairs.map(([weight, names, arrangement]) => ({
    weight,
    names: typeof names === 'string' ? [names] : names,
    arrangement,
  }));

const norm = (ours: string, theirs: string, width: number): Pair[] => [
  [`${ours}.gain`, `${theirs}.weight`, same([width])],
  [`${ours}.bias`, `${theirs}.bias`, same([width])],
];

/** `GPT2LMHeadModel`: its `Conv1D` stores [inputs, outputs], as we do, so nothing is turned. */
export function gpt2Layout({ config }: Gpt2): Layout {
  const { vocabularySize, contextLength, width, depth, mlpWidth } = config;
  const prefix = 'transformer.';
  const conv1d = (ours: string, theirs: string, inputs: number, outputs: number): Pair[] => [
    [`${ours}.weight`, `${theirs}.weight`, same([inputs, outputs])],
    [`${ours}.bias`, `${theirs}.bias`, same([outputs])],
  ];
  const block = (index: number): Pair[] => {
    const [ours, theirs] = [`blocks.${index}`, `${prefix}h.${index}`];
    return [
      ...norm(`${ours}.norm1`, `${theirs}.ln_1`, width),
      ...conv1d(`${ours}.attention.qkv`, `${theirs}.attn.c_attn`, width, 3 * width),
      ...conv1d(`${ours}.attention.projection`, `${theirs}.attn.c_proj`, width, width),
      ...norm(`${ours}.norm2`, `${theirs}.ln_2`, width),
      ...conv1d(`${ours}.mlp.up`, `${theirs}.mlp.c_fc`, width, mlpWidth),
      ...conv1d(`${ours}.mlp.down`, `${theirs}.mlp.c_proj`, mlpWidth, width),
    ];
  };
  return {
    name: 'transformers',
    prefix,
    landmark: `${prefix}wte.weight`,
    // Older files hold the causal mask as buffers.
    ignores: (name) => /(^|\.)h\.\d+\.attn\.(masked_)?bias$/.test(name),
    tied: { 'lm_head.weight': `${prefix}wte.weight` },
    correspondences: correspond([
      ['tokenEmbedding.weight', `${prefix}wte.weight`, same([vocabularySize, width])],
      ['positionEmbedding', `${prefix}wpe.weight`, same([contextLength, width])],
      ...Array.from({ length: depth }, (_, index) => block(index)).flat(),
      ...norm('norm', `${prefix}ln_f`, width),
    ]),
  };
}

/** `ViTForImageClassification` of transformers: queries, keys and values apart. */
export function vitTransformersLayout({ config, parameters }: Vit): Layout {
  const { width, depth, mlpWidth, patchSize, channels, classes } = config;
  const prefix = 'vit.';
  const block = (index: number): Pair[] => {
    const [ours, theirs] = [`blocks.${index}`, `${prefix}encoder.layer.${index}`];
    const qkv = (part: string) =>
      ['query', 'key', 'value'].map((which) => `${theirs}.attention.attention.${which}.${part}`);
    return [
      ...norm(`${ours}.norm1`, `${theirs}.layernorm_before`, width),
      [`${ours}.attention.qkv.weight`, qkv('weight'), transposed(width, 3 * width, 3)],
      [`${ours}.attention.qkv.bias`, qkv('bias'), ends(3 * width, 3)],
      ...dense(`${ours}.attention.projection`, `${theirs}.attention.output.dense`, width, width),
      ...norm(`${ours}.norm2`, `${theirs}.layernorm_after`, width),
      ...dense(`${ours}.mlp.up`, `${theirs}.intermediate.dense`, width, mlpWidth),
      ...dense(`${ours}.mlp.down`, `${theirs}.output.dense`, mlpWidth, width),
    ];
  };
  const patches = `${prefix}embeddings.patch_embeddings.projection`;
  return {
    name: 'transformers',
    prefix,
    landmark: `${patches}.weight`,
    // Models without a head have it in the head's place.
    ignores: (name) => /(^|\.)pooler\.dense\.(weight|bias)$/.test(name),
    tied: {},
    correspondences: correspond([
      ['patchEmbedding.weight', `${patches}.weight`, convolution(patchSize, channels, width)],
      ['patchEmbedding.bias', `${patches}.bias`, same([width])],
      ['classToken', `${prefix}embeddings.cls_token`, same([1, 1, width])],
      [
        'positionEmbedding',
        `${prefix}embeddings.position_embeddings`,
        same([1, ...parameters.positionEmbedding!.shape]),
      ],
      ...Array.from({ length: depth }, (_, index) => block(index)).flat(),
      ...norm('norm', `${prefix}layernorm`, width),
      ...dense('head', 'classifier', width, classes),
    ]),
  };
}

/** timm's `VisionTransformer`. */
export function vitTimmLayout({ config, parameters }: Vit): Layout {
  const { width, depth, mlpWidth, patchSize, channels, classes, pooling } = config;
  const block = (index: number): Pair[] => {
    const name = `blocks.${index}`;
    return [
      ...norm(`${name}.norm1`, `${name}.norm1`, width),
      ...dense(`${name}.attention.qkv`, `${name}.attn.qkv`, width, 3 * width),
      ...dense(`${name}.attention.projection`, `${name}.attn.proj`, width, width),
      ...norm(`${name}.norm2`, `${name}.norm2`, width),
      ...dense(`${name}.mlp.up`, `${name}.mlp.fc1`, width, mlpWidth),
      ...dense(`${name}.mlp.down`, `${name}.mlp.fc2`, mlpWidth, width),
    ];
  };
  return {
    name: 'timm',
    prefix: '',
    landmark: 'patch_embed.proj.weight',
    ignores: () => false,
    tied: {},
    correspondences: correspond([
      ['patchEmbedding.weight', 'patch_embed.proj.weight', convolution(patchSize, channels, width)],
      ['patchEmbedding.bias', 'patch_embed.proj.bias', same([width])],
      ...(pooling === 'classToken' ? ([['classToken', 'cls_token', same([1, 1, width])]] as const) : []),
      ['positionEmbedding', 'pos_embed', same([1, ...parameters.positionEmbedding!.shape])],
      ...Array.from({ length: depth }, (_, index) => block(index)).flat(),
      ...norm('norm', 'norm', width),
      ...dense('head', 'head', width, classes),
    ]),
  };
}

/** torch's `Linear`: [outputs, inputs]. */
function dense(ours: string, theirs: string, inputs: number, outputs: number): Pair[] {
  return [
    [`${ours}.weight`, `${theirs}.weight`, transposed(inputs, outputs)],
    [`${ours}.bias`, `${theirs}.bias`, same([outputs])],
  ];
}
