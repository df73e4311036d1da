import type { NativeSource } from '@lmd/native';
import type { WasmMemory } from '../arena.js';

/** Data from which a worker instantiates the kernels. */
export interface WorkerModules {
  readonly modules: readonly object[];
  /** A shared memory. */
  readonly memory: WasmMemory;
  /** For each thread, the workspace of each module. */
  readonly workspaces: readonly (readonly number[])[];
  /** Native kernels, which come before those of the modules. */
  readonly native?: NativeSource | undefined;
}

/** Start data of a worker. */
export interface WorkerData extends Omit<WorkerModules, 'workspaces'> {
  /** Its own workspace of each module. */
  readonly workspaces: readonly number[];
  /** Of the kernels, by their number in the control memory. */
  readonly names: readonly string[];
  /** The control memory. */
  readonly control: ArrayBufferLike;
  readonly threads: number;
  /** Which of the threads it is; the calling one is 0. */
  readonly self: number;
  /** Number of polls before it sleeps. */
  readonly spins: number;
}
