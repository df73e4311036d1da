export { createTestBackend, type TestBackendOptions } from './test-backend.js';
