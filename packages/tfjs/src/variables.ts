import { LmdError } from '@lmd/core';
import * as tf from '@tensorflow/tfjs-core';
import { mayBeCopies } from './variable-names.js';

const owner = 'LMDOptimizer';

/**
 * The trainable float32 variables of a list, or of the whole program where there is no list, as `tf.variableGrads`
 * takes them; each checked to be alive and to belong to the copy of TensorFlow.js that this module uses.
 *
 * @throws LmdError `INVALID_ARGUMENT` where none is left or one is no variable of this copy; `TENSOR_DISPOSED`
 */
export function trainableVariables(list: readonly tf.Variable[] | null | undefined): tf.Variable[] {
  const variables = list ?? Object.values(registered());
  if (!Array.isArray(variables))
    throw refuse('varList', list, 'Use an array of tf.Variable, or omit it for all variables.');
  for (const variable of variables) checkVariable(variable);
  const trainable = variables.filter(({ trainable, dtype }) => trainable && dtype === 'float32');
  if (trainable.length > 0) return trainable;
  throw refuse('varList', list, 'At least one variable must be trainable and of dtype float32.');
}

/** The variable of that name in this program. Throws `INVALID_ARGUMENT` where there is none. */
export function variableNamed(name: string): tf.Variable {
  const variable = registered()[name];
  if (variable !== undefined) return variable;
  throw refuse(
    name,
    name,
    'Use gradients with the names of existing variables.',
    `there is no variable named "${name}"`,
  );
}

export function isRegistered(name: string): boolean {
  return Object.hasOwn(registered(), name);
}

/** Whether a variable of this program is named as `name`, or as another copy of the same would be. */
export function hasNameOf(name: string): boolean {
  return isRegistered(name) || Object.keys(registered()).some((other) => mayBeCopies(other, name));
}

/** The variables that may be renamed copies of one of that name and shape. */
export function possibleCopies(name: string, shape: readonly number[]): tf.Variable[] {
  return Object.values(registered()).filter(
    (variable) =>
      variable.name !== name &&
      mayBeCopies(variable.name, name) &&
      variable.dtype === 'float32' &&
      !variable.isDisposed &&
      tf.util.arraysEqual(variable.shape, [...shape]),
  );
}

function registered(): Readonly<Record<string, tf.Variable>> {
  return tf.engine().registeredVariables;
}

function checkVariable(variable: tf.Variable): void {
  if (!(variable instanceof tf.Variable)) throw refuse('varList', variable, 'Use tf.Variable objects.');
  const { name } = variable;
  if (variable.isDisposed) {
    throw new LmdError('TENSOR_DISPOSED', `${owner}: the variable "${name}" was disposed of.`, {
      subject: name,
      remedy: 'Remove it from the list, or create the optimizer after the model.',
    });
  }
  if (registered()[name] === variable) return;
  const copy = `the variable "${name}" belongs to another copy of @tensorflow/tfjs-core than ${tf.version_core} here`;
  throw refuse(name, name, 'Install one version for all: npm ls @tensorflow/tfjs-core, then npm dedupe.', copy);
}

function refuse(subject: string, value: unknown, remedy: string, message = 'the variables are not usable'): LmdError {
  return new LmdError('INVALID_ARGUMENT', `${owner}: ${message}.`, { subject, value, remedy });
}
