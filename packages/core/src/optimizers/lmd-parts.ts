import type { EagerOperations } from '../operations.js';
import { codeBlockSize } from '../optimizer-kernels.js';
import { sizeOf, type Tensor } from '../tensor.js';

/**
 * Elements that are decoded, updated and encoded at a time: what is alive in f32 beside a lean state is of this size, not of the
 * weight's, and mostly in a processor's cache. The streams of noise depend on it. A multiple of the block of codes.
 */
export const partSize = 2 ** 17;

/** A stretch of a weight's elements in row-major order. */
export interface Part {
  readonly index: number;
  /** The part of a vector of the weight, flat; or of its scales, those of the part's blocks. The whole itself of a whole weight. */
  slice(ops: EagerOperations, tensor: Tensor, kind: 'vector' | 'scale'): Tensor;
}

const whole: Part = { index: 0, slice: (_, tensor) => tensor };

/** The parts of a weight; one, the whole in its own shape, where it is no larger than a part or is not to be cut. */
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

/** The results of all parts, put together by name. Each is made in a scope of its own. */
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
