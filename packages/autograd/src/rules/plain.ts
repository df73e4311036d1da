import type { Operations } from '@lmd/core';
import type { Recorder } from '../recorder.js';

type Plain = Pick<
  Operations,
  | 'backend'
  | 'fromData'
  | 'full'
  | 'zeros'
  | 'read'
  | 'equal'
  | 'greater'
  | 'less'
  | 'argMax'
  | 'randomBits'
  | 'randomUniform'
  | 'randomNormal'
  | 'memory'
>;

/**
 * Operations that create constants or integers: they have no gradient, but their results belong to the tape's scopes.
 */
export function plain({ ops, untracked, checkAlive }: Recorder): Plain {
  return {
    backend: ops.backend,
    fromData: (data, shape, dtype) => untracked([], ops.fromData(data, shape, dtype)),
    full: (shape, value, dtype) => untracked([], ops.full(shape, value, dtype)),
    zeros: (shape, dtype) => untracked([], ops.zeros(shape, dtype)),
    read(x) {
      checkAlive([x]);
      return ops.read(x);
    },
    equal: (a, b) => untracked([a, b], ops.equal(a, b)),
    greater: (a, b) => untracked([a, b], ops.greater(a, b)),
    less: (a, b) => untracked([a, b], ops.less(a, b)),
    argMax: (x, axis) => untracked([x], ops.argMax(x, axis)),
    randomBits: (shape, key) => untracked([], ops.randomBits(shape, key)),
    randomUniform: (shape, key) => untracked([], ops.randomUniform(shape, key)),
    randomNormal: (shape, key) => untracked([], ops.randomNormal(shape, key)),
    memory: () => ops.memory(),
  };
}
