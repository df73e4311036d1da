import { describeValue as describe, LmdError } from '../errors.js';
import type { EagerOperations } from '../operations.js';
import { bytesPerElement, type NamedTensors, sizeOf, type Tensor } from '../tensor.js';
import type { OptimizerState, Pass } from './optimizer.js';

/** Bytes that the tensors of a state hold. */
export function stateBytes(state: OptimizerState): number {
  let bytes = 0;
  for (const tensor of Object.values(state.tensors)) bytes += sizeOf(tensor.shape) * bytesPerElement[tensor.dtype];
  return bytes;
}

/** Frees every tensor of a state. `update` shares no handle between the old state and the new, so the old may always go. */
export function disposeState(ops: EagerOperations, state: OptimizerState): void {
  ops.dispose(state.tensors);
}

/** `<weight>/<vector>`. A weight's name may itself hold a slash: the last one divides. */
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

/** The names of the weights that a state holds the given vector of; at least one. */
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

/** Refuses a state with a vector that the rule does not know: another rule's, or this one's with other options. */
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

/** The named vector of a weight, or an error that says which tensor the state lacks. */
export function vectorOf(owner: string, state: OptimizerState, weight: string, vector: string): Tensor {
  const name = stateName(weight, vector);
  const tensor = state.tensors[name];
  if (tensor !== undefined) return tensor;
  throw new LmdError('INVALID_ARGUMENT', `${owner}: the state has no tensor "${name}".`, {
    subject: name,
    remedy: 'Use a state of this optimizer, created with the same options.',
  });
}

/** A new handle of the same contents, so that either may be freed without the other. */
export function freshHandle(ops: EagerOperations, tensor: Tensor): Tensor {
  return ops.reshape(tensor, tensor.shape);
}

/** The gradient of one weight in each pass, checked to be there and of the weight's shape. */
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
 * Refuses no pass, a number of passes other than the rule's own where it asks for several, and gradients of weights that the
 * state does not hold. A rule with one sample takes any number and averages, so that it can stand beside one with several.
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

/** Refuses an empty record, and weights that are not f32. */
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
