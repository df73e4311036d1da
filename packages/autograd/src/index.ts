export { recompute } from '@lmd/core';
export type { OnGradient } from './backward-pass.js';
export { createTape, type Tape } from './tape.js';
export { type ValueAndGradients, type ValueAndGradientsOptions, valueAndGradients } from './value-and-gradients.js';
