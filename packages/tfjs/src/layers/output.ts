import * as tf from '@tensorflow/tfjs-core';
import { invalid } from '../precision.js';
import type { ProductLayer } from './base.js';

/** What follows a product: bias along the last axis and activation, in float32. */
export function withBiasAndActivation({ bias, activation }: ProductLayer, y: tf.Tensor): tf.Tensor {
  const shifted = bias == null ? y : tf.add(y, bias.read());
  return activation == null ? shifted : activation.apply(shifted);
}

export function onlyTensor(owner: string, inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
  if (!Array.isArray(inputs)) return inputs;
  if (inputs.length === 1) return inputs[0]!;
  throw invalid(owner, 'inputs', inputs, `Use one tensor instead of ${inputs.length}.`);
}
