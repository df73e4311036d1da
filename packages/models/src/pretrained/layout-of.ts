/** Whose names tensors have: ours, those of transformers or those of timm. */
export type LayoutName = 'lmd' | 'transformers' | 'timm';

/** By one weight that every such model has, with and without the prefix of a model with a head. */
const landmarks: readonly (readonly [string, LayoutName, 'gpt2' | 'vit'])[] = [
  ['tokenEmbedding.weight', 'lmd', 'gpt2'],
  ['patchEmbedding.weight', 'lmd', 'vit'],
  ['transformer.wte.weight', 'transformers', 'gpt2'],
  ['wte.weight', 'transformers', 'gpt2'],
  ['vit.embeddings.patch_embeddings.projection.weight', 'transformers', 'vit'],
  ['embeddings.patch_embeddings.projection.weight', 'transformers', 'vit'],
  ['patch_embed.proj.weight', 'timm', 'vit'],
];

export interface RecognizedLayout {
  readonly layout: LayoutName;
  readonly architecture: 'gpt2' | 'vit';
}

/** The layout of a model's tensors by their names; undefined for another model than a GPT-2 or a ViT. */
export function layoutOfTensors(names: Iterable<string>): RecognizedLayout | undefined {
  const given = new Set(names);
  const found = landmarks.find(([name]) => given.has(name));
  return found === undefined ? undefined : { layout: found[1], architecture: found[2] };
}
