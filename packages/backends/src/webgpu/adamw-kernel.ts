import type { AdamwUpdateOptions } from '@lmd/core';
import type { Kernel } from './kernel.js';
import { perElement } from './wgsl.js';

export const adamwParameters = {
  count: 'u32',
  beta1: 'f32',
  rest1: 'f32',
  beta2: 'f32',
  rest2: 'f32',
  rate: 'f32',
  kept: 'f32',
  second_scale: 'f32',
  epsilon: 'f32',
} as const;

/** The rule in WGSL. */
export const adamwStep = `
fn average_first(first: f32, g: f32) -> f32 { return params.beta1 * first + params.rest1 * g; }
fn average_second(second: f32, g: f32) -> f32 { return params.beta2 * second + params.rest2 * (g * g); }
fn stepped(weight: f32, first: f32, second: f32) -> f32 {
  return params.kept * weight - params.rate * first / (sqrt(second) * params.second_scale + params.epsilon);
}
`;

export const adamwKernel: Kernel = {
  name: 'adamwUpdate',
  inputs: { weights: 'f32', first: 'f32', second: 'f32', gradient: 'f32' },
  outputs: { new_weights: 'f32', new_first: 'f32', new_second: 'f32' },
  parameters: adamwParameters,
  code: `${adamwStep}${perElement(`
  let g = gradient_at(i);
  let first = average_first(first_at(i), g);
  let second = average_second(second_at(i), g);
  new_first_set(i, first);
  new_second_set(i, second);
  new_weights_set(i, stepped(weights_at(i), first, second));`)}`,
};

export function adamwValues({ learningRate, beta1, beta2, epsilon, weightDecay, step }: AdamwUpdateOptions) {
  return {
    beta1,
    rest1: 1 - beta1,
    beta2,
    rest2: 1 - beta2,
    rate: learningRate / (1 - beta1 ** step),
    kept: 1 - learningRate * weightDecay,
    second_scale: 1 / Math.sqrt(1 - beta2 ** step),
    epsilon,
  };
}
