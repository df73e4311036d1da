import {
  type ForwardContext,
  LmdError,
  type Model,
  type NamedTensors,
  type PackedMatrices,
  type PackedMatrix,
  type Tensor,
} from '@lmd/core';

/** The weight of that name. */
export function parameter(weights: NamedTensors, name: string): Tensor {
  const tensor = Object.hasOwn(weights, name) ? weights[name] : undefined;
  if (tensor !== undefined) return tensor;
  throw new LmdError('INVALID_ARGUMENT', `The weight "${name}" is missing.`, {
    subject: name,
    remedy: 'Pass all weights listed in model.parameters, for example from model.initialize or a checkpoint.',
  });
}

/** The weight with that name if it is packed. */
export function packedWeight({ packedWeights }: ForwardContext, name: string): PackedMatrix | undefined {
  return packedWeights !== undefined && Object.hasOwn(packedWeights, name) ? packedWeights[name] : undefined;
}

/** Throws if a parameter of the model is missing in the weights (packed or not) or has another shape. */
export function checkWeights(
  weights: NamedTensors,
  parameters: Model['parameters'],
  packed: PackedMatrices = {},
): void {
  for (const [name, { shape }] of Object.entries(parameters)) {
    const actual = (Object.hasOwn(packed, name) ? packed[name]! : parameter(weights, name)).shape;
    if (actual.join() === shape.join()) continue;
    throw new LmdError(
      'SHAPE_MISMATCH',
      `The weight "${name}" has shape [${actual}], but this model needs [${shape}].`,
      {
        subject: name,
        value: actual,
        remedy: 'Weights and model must have the same configuration.',
      },
    );
  }
}
