export { expectTensor } from './expect-close.js';
export { createTestBackend, type TestBackendOptions } from './test-backend.js';
