import type { Vit } from '@lmd/models';
import { graphBuilder } from './graph-builder.js';
import { block, layerNorm, linear } from './layers.js';
import type { GraphProto } from './schema/onnx.generated.js';

/** `pixel_values` [batch, channels, height, width] → `logits` [batch, classes], as ViT of transformers. */
export function vitGraph({ name, config }: Vit): GraphProto {
  const { imageSize, channels, patchSize, width, depth, classes, pooling, layerNormEpsilon } = config;
  const g = graphBuilder();
  const images = g.input('pixel_values', 'f32', ['batch', channels, imageSize, imageSize]);
  const side = imageSize / patchSize;
  const embedded = g.within('embedding', () => {
    const grid = g.node('Reshape', [images, g.integers([-1, channels, side, patchSize, side, patchSize])]);
    // [batch, patch row, patch column, row, column, channel]
    const turned = g.node('Transpose', [grid], { perm: [0, 2, 4, 3, 5, 1] });
    const flat = g.node('Reshape', [turned, g.integers([-1, side * side, patchSize * patchSize * channels])]);
    const patches = linear(g, flat, 'patchEmbedding');
    if (pooling === 'mean') return g.node('Add', [patches, g.weight('positionEmbedding')]);
    const batch = g.node('Shape', [images], { start: 0, end: 1 });
    const shape = g.node('Concat', [batch, g.integers([1, width])], { axis: 0 });
    const classTokens = g.node('Expand', [g.weight('classToken'), shape]);
    const tokens = g.node('Concat', [classTokens, patches], { axis: 1 });
    return g.node('Add', [tokens, g.weight('positionEmbedding')]);
  });
  let x = embedded;
  for (let i = 0; i < depth; i++) x = block(g, x, `blocks.${i}`, config);
  g.within('head', () => {
    const norm = (tokens: string) => layerNorm(g, tokens, 'norm', layerNormEpsilon);
    const pooled =
      pooling === 'mean'
        ? g.node('ReduceMean', [norm(x)], { axes: [1], keepdims: 0 })
        : norm(g.node('Gather', [x, g.integers(0)], { axis: 1 }));
    const product = g.node('MatMul', [pooled, g.weight('head.weight')]);
    g.node('Add', [product, g.weight('head.bias')], {}, 'logits');
  });
  g.output('logits', ['batch', classes]);
  return g.finish(name);
}
