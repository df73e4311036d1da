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
    remedy: 'Pass all weights that model.parameters names, as model.initialize or a checkpoint gives them.',
  });
}

/** The weight of that name, where it is kept packed. */
export function packedWeight({ packedWeights }: ForwardContext, name: string): PackedMatrix | undefined {
  return packedWeights !== undefined && Object.hasOwn(packedWeights, name) ? packedWeights[name] : undefined;
}

/** Refuses weights, packed ones among them, that lack one of a model's parameters, or have one of another shape. */
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
      `The weight "${name}" has shape [${actual}], and this model needs [${shape}].`,
      {
        subject: name,
        value: actual,
        remedy: 'Weights and model must have the same configuration.',
      },
    );
  }
}
