export { errorOf } from './error-of.js';
export { expectTensor } from './expect-close.js';
export { e2m1 } from './formats.js';
export { createTestBackend, type TestBackendOptions } from './test-backend.js';
