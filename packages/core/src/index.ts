export * from './backend.js';
export * from './errors.js';
export * from './formats.js';
export * from './model.js';
export * from './operations.js';
export * from './optimizers/optimizer.js';
export * from './tensor.js';
