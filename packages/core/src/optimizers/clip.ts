import type { EagerOperations } from '../operations.js';
import type { NamedTensors, Tensor } from '../tensor.js';
import type { Optimizer } from './optimizer.js';
import { numberOption } from './options.js';

/** The Euclidean norm of all gradients together, as a scalar tensor: nothing is read back. Of no gradients, 0. */
export function globalNorm(ops: EagerOperations, gradients: NamedTensors): Tensor {
  return ops.scope(() => {
    let squares = ops.zeros([]);
    for (const gradient of Object.values(gradients)) {
      squares = ops.scope(() => ops.add(squares, ops.sum(ops.multiply(gradient, gradient))));
    }
    return ops.sqrt(squares);
  });
}

/**
 * The rule with each pass's gradients first scaled by min(1, maxNorm / norm), where the norm is taken over all weights together
 * (Pascanu et al., arXiv:1211.5063, algorithm 1). It stays on the device. A norm that is not finite makes every gradient NaN:
 * scaled by maxNorm / ∞ = 0 they would vanish without a word.
 *
 * Around `parameterGroups` the norm spans all groups; inside a group, that group alone. A rule that takes the sign of its
 * momentum, as `lmd` does, feels clipping only through the weight of this step's gradient in the momentum.
 */
export function clipByGlobalNorm(optimizer: Optimizer, maxNorm: number): Optimizer {
  const limit = numberOption('clipByGlobalNorm', 'maxNorm', maxNorm, Number.NaN, { above: 0 });
  return {
    name: `clipByGlobalNorm(${optimizer.name})`,
    samples: optimizer.samples,
    init: (ops, weights) => optimizer.init(ops, weights),
    draw: (ops, state, key) => optimizer.draw(ops, state, key),
    weights: (ops, state, kind, key) => optimizer.weights(ops, state, kind, key),
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
    const norm = globalNorm(ops, gradients);
    // norm − norm is 0 for a finite norm and NaN otherwise, so an infinite norm does not become a factor of 0. `less` is
    // false beside a NaN, so a NaN norm takes the other branch too.
    const excess = ops.add(ops.divide(maxNorm, norm), ops.subtract(norm, norm));
    const scale = ops.where(ops.less(norm, maxNorm), 1, excess);
    const clipped: Record<string, Tensor> = {};
    for (const [name, gradient] of Object.entries(gradients)) clipped[name] = ops.multiply(gradient, scale);
    return clipped;
  });
}
