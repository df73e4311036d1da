export { createReferenceBackend, type ReferenceBackend, type ReferenceBackendOptions } from './reference-backend.js';
