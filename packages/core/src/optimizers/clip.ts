import { checkOptimizer } from '../contracts.js';
import type { EagerOperations } from '../operations.js';
import { numberOption } from '../options/checks.js';
import type { NamedTensors, Tensor } from '../tensor.js';
import { optimizerMarker } from './marker.js';
import { largestMagnitude, safeScale, scaledSquares } from './norms.js';
import type { Optimizer } from './optimizer.js';

/**
 * Euclidean norm of all gradients together, as a scalar tensor without a readback; 0 without gradients. Very large and
 * very small gradients are scaled before they are squared. The order of the record does not change the bits.
 */
export function globalNorm(ops: EagerOperations, gradients: NamedTensors): Tensor {
  return ops.scope(() => {
    const { norm, scale } = scaledNorm(ops, gradients);
    return ops.divide(norm, scale);
  });
}

/**
 * The norm times a power of two at which it is representable, and that power: the norm of finite gradients may overflow
 * f32.
 */
function scaledNorm(ops: EagerOperations, gradients: NamedTensors): { readonly norm: Tensor; readonly scale: Tensor } {
  return ops.scope(() => {
    const scale = safeScale(ops, largestMagnitude(ops, Object.values(gradients)));
    return { norm: ops.sqrt(scaledSquares(ops, gradients, scale)), scale };
  });
}

/**
 * Gradient clipping: scales the gradients of each pass by min(1, maxNorm / norm) before the update, with the norm over
 * all weights (Pascanu et al., arXiv:1211.5063, algorithm 1). It runs on the device. If the norm is not finite, all
 * gradients become NaN: scaled by maxNorm / ∞ = 0 they would silently vanish.
 *
 * Around `parameterGroups`, the norm covers all groups; inside a group, only that group. For an optimizer that uses the
 * sign of its momentum, such as `lmd`, clipping only changes the weight of the current gradient in the momentum.
 */
export function clipByGlobalNorm(optimizer: Optimizer, maxNorm: number): Optimizer {
  const limit = numberOption('clipByGlobalNorm', 'maxNorm', maxNorm, { above: 0 });
  checkOptimizer(optimizer, { subject: 'clipByGlobalNorm: optimizer' });
  return {
    ...optimizerMarker,
    name: `clipByGlobalNorm(${optimizer.name})`,
    samples: optimizer.samples,
    init: (ops, weights) => optimizer.init(ops, weights),
    draw: (ops, state, key) => optimizer.draw(ops, state, key),
    weights: (ops, state, kind, key) => optimizer.weights(ops, state, kind, key),
    ...(optimizer.positions === undefined ? {} : { positions: optimizer.positions }),
    update(ops, state, passes, done) {
      return ops.scope(() => {
        const clipped = passes.map(({ key, gradients }) => ({ key, gradients: clip(ops, gradients, limit) }));
        return optimizer.update(ops, state, clipped, (weight) => {
          for (const { gradients } of clipped) ops.dispose(gradients[weight]!);
          done?.(weight);
        });
      });
    },
  };
}

function clip(ops: EagerOperations, gradients: NamedTensors, maxNorm: number): NamedTensors {
  return ops.scope(() => {
    const { norm, scale } = scaledNorm(ops, gradients);
    const isWithin = ops.less(norm, ops.multiply(scale, maxNorm));
    // norm − norm is 0 for a finite norm and NaN otherwise, so an infinite norm does not become a factor of 0. `less`
    // is false beside a NaN, so a NaN norm takes the other branch too.
    const excess = ops.add(ops.divide(maxNorm, norm), ops.subtract(norm, norm));
    // Two factors, since their product may be less than f32 holds. Both are 1 within the norm, which changes no bit.
    const [first, second] = [ops.where(isWithin, 1, scale), ops.where(isWithin, 1, excess)];
    const clipped: Record<string, Tensor> = {};
    for (const [name, gradient] of Object.entries(gradients)) {
      clipped[name] = ops.scope(() => ops.multiply(ops.multiply(gradient, first), second));
    }
    return clipped;
  });
}
