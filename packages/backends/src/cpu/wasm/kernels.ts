import { type InMemoryArguments, type InMemoryKernels, inMemoryOrder } from '@lmd/mx-formats';
import { type WasmArguments, type WasmKernels, type WasmSetUp, wasmOrder } from './kernels.generated.js';
import { type NativeOnly, type NativeOnlyArguments, nativeOnlyOrder } from './native-only.js';

/**
 * All kernels, those of `@lmd/mx-formats` included. Each does the part `from` to `to` of its range. Addresses are bytes
 * in the backend's memory, sizes and strides are elements. Those of `@lmd/native` take the place of the ones with the
 * same names and arguments.
 */
export interface Kernels extends WasmKernels, Omit<InMemoryKernels, 'initialize' | 'workspaceBytes'>, NativeOnly {}

/** What the backend's own module exports. */
export interface KernelModule extends WasmKernels, WasmSetUp {}

export type KernelName = keyof Kernels;

/** The arguments of each kernel after its range, by name. */
export interface KernelArguments extends WasmArguments, InMemoryArguments, NativeOnlyArguments {}

/** Puts the arguments of each kernel in the order in which it takes them, as numbers. */
export const argumentOrder: {
  readonly [Name in KernelName]: (named: KernelArguments[Name]) => number[];
} = { ...wasmOrder, ...inMemoryOrder, ...nativeOnlyOrder };
