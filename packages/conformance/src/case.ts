import type { Backend, EagerOperations, FusedKernelName, Tensor } from '@lmd/core';
import type { BoundName } from './bounds.js';
import type { Expect } from './framework.js';
import type { Random } from './random.js';
import type { Values } from './values.js';

/** One test of the suite. Its full name, `group > name`, is what `expectedFailures` lists, so it never holds a seed. */
export interface Case {
  readonly name: string;
  run(context: Context): Promise<void>;
}

export interface CaseGroup {
  readonly name: string;
  readonly cases: readonly Case[];
}

/** The context of a test. Everything that it uploads is freed after it, even if it fails. */
export interface Context {
  readonly backend: Backend;
  /** Operations with the backend's fused kernels, and core's compositions of the others. */
  readonly ops: EagerOperations;
  /** The same without any fused kernel: every kernel as core's composition of this backend's primitives. */
  readonly composed: EagerOperations;
  readonly random: Random;
  /** One more backend of the suite's `create`, which the test closes. */
  createAnother(): Promise<Backend>;
  readonly expect: Expect;
  upload(values: Values, ops?: EagerOperations): Tensor;
  /** Runs one operation and compares its results with the oracle's. See `OperationCheck`. */
  check(check: OperationCheck): Promise<void>;
  /** Compares a tensor, of another backend if one is given, with the oracle's values, without freeing it. */
  compare(label: string, tensor: Tensor, want: Values, bound: BoundName, of?: Backend): Promise<void>;
  /** Fails the test with a message that includes how to reproduce it. */
  fail(message: string): never;
}

/**
 * A test of one operation. Its inputs must remain unchanged, and its results are compared and freed. A kernel that the
 * backend fuses is tested twice: fused, and composed from primitives; both must meet the same bound.
 */
export interface OperationCheck {
  /** For the message; shapes of the inputs are added. */
  readonly label: string;
  readonly bound: BoundName | readonly BoundName[];
  readonly inputs: readonly Values[];
  readonly run: (ops: EagerOperations, inputs: readonly Tensor[]) => Tensor | readonly Tensor[];
  readonly want: Values | readonly Values[];
  /** Name of the fused kernel, which is also tested as a composition if the backend has it. */
  readonly kernel?: FusedKernelName;
  /**
   * Core's composition needs subnormal factors for these inputs: if the backend flushes them and has a kernel, only the
   * kernel is tested.
   */
  readonly composedNeedsSubnormals?: boolean;
}
