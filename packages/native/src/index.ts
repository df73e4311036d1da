export { NativeError, type NativeErrorCode, type NativeErrorDetails } from './errors.js';
export type { ElementKernels, Memory, NativeKernels } from './kernels.js';
export { type Arithmetic, type Level, levelNames, levels } from './levels.js';
export { loadNative, type Native, type NativeLoad, type NativeOptions, type NativeSource } from './load.js';
