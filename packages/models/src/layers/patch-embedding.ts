import type { Operations, Tensor } from '@lmd/core';
import type { LayerContext } from './context.js';
import { linear } from './linear.js';

/**
 * Images [batch, height, width, channels] → tokens [batch, patches, outputs]: square patches, row by row, each
 * flattened (row, column, channel) and multiplied by `<name>.weight` [patchSize² · channels, outputs]. It is a strided
 * convolution, computed as a matrix product.
 */
export function patchEmbedding(
  ops: Operations,
  images: Tensor,
  name: string,
  patchSize: number,
  context: LayerContext,
): Tensor {
  return ops.scope(() => linear(ops, patchify(ops, images, patchSize), name, context));
}

/** [batch, height, width, channels] → [batch, patches, patchSize² · channels]. */
export function patchify(ops: Operations, images: Tensor, patchSize: number): Tensor {
  const [batch, height, width, channels] = images.shape as readonly [number, number, number, number];
  const rows = height / patchSize;
  const columns = width / patchSize;
  return ops.scope(() => {
    // Rank 4 is sufficient: image rows are folded into the batch, and channels into the columns of the patch.
    const split = ops.reshape(images, [batch * rows, patchSize, columns, patchSize * channels]);
    const gathered = ops.transpose(split, [0, 2, 1, 3]);
    return ops.reshape(gathered, [batch, rows * columns, patchSize * patchSize * channels]);
  });
}

/**
 * The inverse of `patchify` for square images: [batch, patches, patchSize² · channels] → [batch, size, size, channels].
 */
export function unpatchify(ops: Operations, patches: Tensor, size: number, patchSize: number): Tensor {
  const across = size / patchSize;
  const values = patches.shape[2]! / patchSize;
  return ops.scope(() => {
    const split = ops.reshape(patches, [-1, across, patchSize, values]);
    return ops.reshape(ops.transpose(split, [0, 2, 1, 3]), [patches.shape[0]!, size, size, values / patchSize]);
  });
}
