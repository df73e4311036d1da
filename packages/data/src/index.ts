export * from './images/index.js';
export * from './text/index.js';
