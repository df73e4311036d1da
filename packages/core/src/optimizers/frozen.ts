import type { Optimizer } from './optimizer.js';
import { perWeightRule, storedWeight } from './per-weight-rule.js';
import { freshHandle } from './state.js';

/**
 * Optimizer that changes nothing, for weights that fine-tuning freezes:
 *
 *     parameterGroups([{ match: /^head\./, optimizer: lmd() }, { match: '*', optimizer: frozen() }])
 *
 * State per weight: `weight`. Gradients are checked and not used.
 */
export function frozen(): Optimizer {
  return perWeightRule({
    name: 'frozen',
    vectors: ['weight'],
    initial: (ops, weight) => ({ weight: freshHandle(ops, weight) }),
    ...storedWeight,
    update:
      () =>
      (ops, { weight }) => ({ weight: freshHandle(ops, weight) }),
  });
}
