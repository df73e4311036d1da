export { recompute } from './recompute.js';
export { createTape, type Tape } from './tape.js';
export { type ValueAndGradients, valueAndGradients } from './value-and-gradients.js';
