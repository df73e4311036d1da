import type { EagerOperations } from '../operations.js';
import { codeBlockSize } from '../optimizer-kernels.js';
import { sizeOf, type Tensor } from '../tensor.js';

/**
 * Number of elements that are decoded, updated and encoded at a time, so that the temporary f32 vectors beside a packed
 * state have this size, not that of the weight, and mostly fit into the cache. A multiple of the block size of the
 * codes. Random streams depend on it.
 */
const partSize = 2 ** 17;

/** A range of the elements of a weight, in row-major order. */
export interface Part {
  readonly index: number;
  /**
   * The part of a flat vector of the weight, or the scales of the blocks of the part. Returns the tensor itself if the
   * part is the whole weight.
   */
  slice(ops: EagerOperations, tensor: Tensor, kind: 'vector' | 'scale'): Tensor;
}

const whole: Part = { index: 0, slice: (_, tensor) => tensor };

/** Parts of a weight: one, in its own shape, if it is not larger than a part or `cut` is false. */
export function partsOf(shape: readonly number[], cut: boolean): readonly Part[] {
  const size = sizeOf(shape);
  if (!cut || size <= partSize) return [whole];
  return Array.from({ length: Math.ceil(size / partSize) }, (_, index) => {
    const from = index * partSize;
    const count = Math.min(partSize, size - from);
    return {
      index,
      slice(ops, tensor, kind) {
        const [begin, length] =
          kind === 'vector' ? [from, count] : [from / codeBlockSize, Math.ceil(count / codeBlockSize)];
        return ops.scope(() => {
          const part = ops.slice(ops.reshape(tensor, [-1]), [begin], [length]);
          // One block's scale is a scalar.
          return kind === 'scale' && count <= codeBlockSize ? ops.reshape(part, []) : part;
        });
      },
    };
  });
}

/** Concatenates the results of all parts by name. Each part runs in its own scope. */
export function joinParts(
  ops: EagerOperations,
  shape: readonly number[],
  parts: readonly Part[],
  make: (part: Part) => { readonly [name: string]: Tensor },
): Record<string, Tensor> {
  if (parts.length === 1) return ops.scope(() => ({ ...make(parts[0]!) }));
  return ops.scope(() => {
    const made = parts.map((part) => ops.scope(() => make(part)));
    const joined: Record<string, Tensor> = {};
    for (const name of Object.keys(made[0]!)) {
      joined[name] = ops.scope(() => {
        const flat = ops.concatenate(
          made.map((tensors) => ops.reshape(tensors[name]!, [-1])),
          0,
        );
        return sizeOf(flat.shape) === sizeOf(shape) ? ops.reshape(flat, shape) : flat;
      });
      ops.dispose(made.map((tensors) => tensors[name]!));
    }
    return joined;
  });
}
