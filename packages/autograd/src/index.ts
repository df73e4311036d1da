export { createTape, type Tape } from './tape.js';
export { type ValueAndGradients, valueAndGradients } from './value-and-gradients.js';
