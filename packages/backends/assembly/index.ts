// The WebAssembly kernels of the cpu backend. All addresses are bytes in the memory that the backend gives; sizes are elements.

export { firstFree, matmul } from './matmul';
