import { LmdError, type NamedTensors, type Tensor } from '@lmd/core';

/** The weight of that name. */
export function parameter(weights: NamedTensors, name: string): Tensor {
  const tensor = Object.hasOwn(weights, name) ? weights[name] : undefined;
  if (tensor !== undefined) return tensor;
  throw new LmdError('INVALID_ARGUMENT', `The weight "${name}" is missing.`, {
    subject: name,
    remedy: 'Pass all weights that model.parameters names, as model.initialize or a checkpoint gives them.',
  });
}
