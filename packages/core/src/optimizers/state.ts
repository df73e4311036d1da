import { describeValue as describe, LmdError } from '../errors.js';
import type { EagerOperations } from '../operations.js';
import { bytesPerElement, type NamedTensors, sizeOf, type Tensor } from '../tensor.js';
import type { OptimizerState, Pass } from './optimizer.js';

/** Number of bytes of the tensors of a state. */
export function stateBytes(state: OptimizerState): number {
  let bytes = 0;
  for (const tensor of Object.values(state.tensors)) bytes += sizeOf(tensor.shape) * bytesPerElement[tensor.dtype];
  return bytes;
}

/**
 * Frees all tensors of a state. `update` shares no handle between the old and the new state, so that the old one can
 * always be freed.
 */
export function disposeState(ops: EagerOperations, state: OptimizerState): void {
  ops.dispose(state.tensors);
}

/** `<weight>/<vector>`. The name of a weight may contain a slash: the last one separates. */
export function stateName(weight: string, vector: string): string {
  return `${weight}/${vector}`;
}

/** The weight that a tensor of the state belongs to. */
export function weightOf(name: string): string {
  const slash = name.lastIndexOf('/');
  if (slash > 0) return name.slice(0, slash);
  throw new LmdError('INVALID_ARGUMENT', `The state's tensor "${name}" does not name a weight.`, {
    subject: name,
    remedy: 'Tensors of a state are named "<weight>/<vector>".',
  });
}

/** Names of the weights for which a state has the given vector; at least one. */
export function weightNames(owner: string, state: OptimizerState, vector: string): string[] {
  const ending = `/${vector}`;
  const names = Object.keys(state.tensors)
    .filter((name) => name.endsWith(ending))
    .map((name) => name.slice(0, -ending.length));
  if (names.length > 0) return names;
  throw new LmdError('INVALID_ARGUMENT', `${owner}: the state has no tensor named "<weight>${ending}".`, {
    subject: vector,
    value: Object.keys(state.tensors),
    remedy: 'Use a state of this optimizer, created with the same options.',
  });
}

/** Throws for a state with an unknown vector: that of another optimizer, or of other options. */
export function checkVectors(owner: string, state: OptimizerState, vectors: readonly string[]): void {
  for (const name of Object.keys(state.tensors)) {
    const vector = name.slice(name.lastIndexOf('/') + 1);
    if (vectors.includes(vector)) continue;
    throw new LmdError(
      'INVALID_ARGUMENT',
      `${owner}: the state's tensor "${name}" does not belong to this optimizer.`,
      {
        subject: name,
        value: vector,
        remedy: `Use a state of this optimizer, which has for each weight: ${vectors.join(', ')}.`,
      },
    );
  }
}

/** The named vector of a weight; throws if the state has none. */
export function vectorOf(owner: string, state: OptimizerState, weight: string, vector: string): Tensor {
  const name = stateName(weight, vector);
  const tensor = state.tensors[name];
  if (tensor !== undefined) return tensor;
  throw new LmdError('INVALID_ARGUMENT', `${owner}: the state has no tensor "${name}".`, {
    subject: name,
    remedy: 'Use a state of this optimizer, created with the same options.',
  });
}

/** The direction of a vector of the state, as `SignUpdate.update` receives it; throws if there is none. */
export function directionOf(owner: string, directions: NamedTensors, weight: string, vector: string): Tensor {
  const name = stateName(weight, vector);
  const direction = directions[name];
  if (direction !== undefined) return direction;
  throw new LmdError('INVALID_ARGUMENT', `${owner}: there is no direction "${name}".`, {
    subject: name,
    value: Object.keys(directions),
    remedy: 'Pass a direction for each name that `directions` returns.',
  });
}

/** The position of a weight among those that `StatePositions.write` is given. */
export function positionOf(
  owner: string,
  positions: NamedTensors,
  weight: string,
  vector: string,
  shape: readonly number[],
): Tensor {
  const name = stateName(weight, vector);
  const position = positions[name];
  if (position !== undefined && sameShape(position.shape, shape)) return position;
  throw new LmdError(
    'INVALID_ARGUMENT',
    position === undefined
      ? `${owner}: there is no position "${name}".`
      : `${owner}: the position "${name}" has shape [${position.shape}], not [${shape}].`,
    {
      subject: name,
      value: position?.shape ?? Object.keys(positions),
      remedy: 'Pass a position for each name that `positions.read` returns, of its shape.',
    },
  );
}

/** A new handle with the same contents, which can be freed independently. */
export function freshHandle(ops: EagerOperations, tensor: Tensor): Tensor {
  return ops.reshape(tensor, tensor.shape);
}

/** Gradients of one weight, one per pass, checked for existence, dtype and shape. */
export function gradientsOf(
  owner: string,
  passes: readonly Pass[],
  weight: string,
  shape: readonly number[],
): Tensor[] {
  return passes.map(({ gradients }) => {
    const gradient = gradients[weight];
    if (gradient === undefined) {
      throw new LmdError('INVALID_ARGUMENT', `${owner}: no gradient for the weight "${weight}".`, {
        subject: weight,
        remedy: 'Pass a gradient for every weight of the state: use zeros if the loss does not depend on it.',
      });
    }
    if (gradient.dtype !== 'f32') {
      throw new LmdError('DTYPE_MISMATCH', `${owner}: the gradient of "${weight}" is ${gradient.dtype}.`, {
        subject: weight,
        value: gradient.dtype,
        remedy: 'Gradients are f32.',
      });
    }
    if (!sameShape(gradient.shape, shape)) {
      throw new LmdError(
        'SHAPE_MISMATCH',
        `${owner}: the gradient of "${weight}" has shape [${gradient.shape}], the weight [${shape}].`,
        { subject: weight, value: gradient.shape, remedy: 'A gradient has the shape of its weight.' },
      );
    }
    return gradient;
  });
}

/**
 * Throws if there is no pass, if the number of passes differs from `samples` above 1, and for gradients of weights that
 * are not in the state. An optimizer with one sample accepts any number of passes and averages them, so that it can be
 * combined with one that has several.
 */
export function checkPasses(owner: string, samples: number, passes: readonly Pass[], weights: readonly string[]): void {
  if (passes.length === 0 || (samples > 1 && passes.length !== samples)) {
    throw new LmdError(
      'INVALID_ARGUMENT',
      `${owner}: update received ${passes.length} passes for ${samples} samples.`,
      {
        subject: 'passes',
        value: passes.length,
        remedy: `Run draw, forward and backward ${samples} times per step.`,
      },
    );
  }
  const known = new Set(weights);
  for (const { gradients } of passes) {
    for (const name of Object.keys(gradients)) {
      if (known.has(name)) continue;
      throw new LmdError(
        'INVALID_ARGUMENT',
        `${owner}: there is a gradient for "${name}", which is not in the state.`,
        {
          subject: name,
          remedy: 'Pass gradients only for the weights that were passed to init.',
        },
      );
    }
  }
}

/** Throws for an empty record, and for weights that are not f32. */
export function checkWeights(owner: string, weights: NamedTensors): void {
  const entries = Object.entries(weights);
  if (entries.length === 0) {
    throw new LmdError('INVALID_ARGUMENT', `${owner}: init received no weights.`, {
      subject: 'weights',
      value: describe(weights),
      remedy: "Pass the model's initial weights.",
    });
  }
  for (const [name, { dtype }] of entries) {
    if (dtype === 'f32') continue;
    throw new LmdError('DTYPE_MISMATCH', `${owner}: the weight "${name}" is ${dtype}.`, {
      subject: name,
      value: dtype,
      remedy: 'Weights are f32.',
    });
  }
}

export function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((extent, axis) => extent === b[axis]);
}
