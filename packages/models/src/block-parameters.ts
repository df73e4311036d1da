import { fanIn, type Initialization, ones, type ParameterSpecification, zeros } from './initialization.js';

export type ParameterSpecifications = { readonly [name: string]: ParameterSpecification };

/**
 * The parameters of the layer `linear`, for `initializeParameters`: `<name>.weight` [inputs, outputs] and `<name>.bias`
 * [outputs], zeros.
 *
 * @param initialization of the matrix; by default normal with variance 1/inputs.
 */
export function linearParameters(
  name: string,
  inputs: number,
  outputs: number,
  initialization: Initialization = fanIn(inputs),
): ParameterSpecifications {
  return {
    [`${name}.weight`]: { shape: [inputs, outputs], initialization },
    [`${name}.bias`]: { shape: [outputs], initialization: zeros },
  };
}

export function normParameters(name: string, width: number): ParameterSpecifications {
  return {
    [`${name}.gain`]: { shape: [width], initialization: ones },
    [`${name}.bias`]: { shape: [width], initialization: zeros },
  };
}

/**
 * The parameters of a `transformerBlock`, in the order of its forward pass. `residual` initializes the two matrices
 * that write to the residual stream, `matrix` the other two; both take the number of inputs.
 */
export function blockParameters(
  name: string,
  { width, mlpWidth }: { readonly width: number; readonly mlpWidth: number },
  matrix: (inputs: number) => Initialization,
  residual: (inputs: number) => Initialization = matrix,
): ParameterSpecifications {
  return {
    ...normParameters(`${name}.norm1`, width),
    ...linearParameters(`${name}.attention.qkv`, width, 3 * width, matrix(width)),
    ...linearParameters(`${name}.attention.projection`, width, width, residual(width)),
    ...normParameters(`${name}.norm2`, width),
    ...linearParameters(`${name}.mlp.up`, width, mlpWidth, matrix(width)),
    ...linearParameters(`${name}.mlp.down`, mlpWidth, width, residual(mlpWidth)),
  };
}
