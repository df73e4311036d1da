import type { Optimizer } from './optimizer.js';
import { perWeightRule, storedWeight } from './per-weight-rule.js';
import { freshHandle } from './state.js';

/**
 * The rule that changes nothing, for the weights of a group that fine-tuning leaves as they are:
 *
 *     parameterGroups([{ match: /^head\./, optimizer: lmd() }, { match: '*', optimizer: frozen() }])
 *
 * State a weight: `weight`, and no other vector. Gradients are checked like any rule's and not used.
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
