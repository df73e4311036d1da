import { type Backend, createOperations, type EagerOperations, type Tensor, type TensorData } from '@lmd/core';
import type { BoundName } from './bounds.js';
import type { Context, OperationCheck } from './case.js';
import { type Deviation, deviation, difference } from './compare.js';
import type { Expect } from './framework.js';
import { Random } from './random.js';
import { describeValues, type Values } from './values.js';
import { withoutFusedKernels } from './without-fused-kernels.js';

/** One result of one operation beside the oracle's. */
export interface Measurement extends Deviation {
  /** The full name of the test. */
  readonly test: string;
  readonly operation: string;
  /** Whether core composed the operation although the backend has a kernel for it. */
  readonly composed: boolean;
  readonly bound: BoundName;
}

export interface ContextOptions {
  readonly backend: Backend;
  readonly seed: number;
  readonly name: string;
  readonly expect: Expect;
  readonly createAnother: () => Promise<Backend>;
  readonly onMeasurement?: ((measurement: Measurement) => void) | undefined;
}

export interface OpenContext extends Context {
  /** Frees what the test uploaded and still holds. */
  close(): void;
  /** The result that is being read, for the message of a test that never ends. */
  reading(): string | undefined;
}

export function openContext(options: ContextOptions): OpenContext {
  const { backend, seed, name, expect, createAnother, onMeasurement } = options;
  const ops = createOperations(backend);
  const composed = createOperations(withoutFusedKernels(backend));
  let reading: string | undefined;
  const uploads: { tensor: Tensor; ops: EagerOperations }[] = [];

  function fail(message: string): never {
    throw new Error(`${message}\n(replay with seed: ${seed})`);
  }

  async function compare(label: string, tensor: Tensor, want: Values, bound: BoundName, of = backend): Promise<void> {
    await compareResult(label, tensor, want, bound, of);
  }

  async function compareResult(
    label: string,
    tensor: Tensor,
    want: Values,
    bound: BoundName,
    of: Backend,
    measured?: { readonly operation: string; readonly composed: boolean },
  ): Promise<void> {
    reading = label;
    const data = await of.read(tensor);
    reading = undefined;
    const comparison = { bound, subnormals: backend.supports.subnormals };
    const problem = difference(tensor, data, want, comparison);
    if (problem !== undefined) fail(`${label}: ${problem}`);
    expect(problem).toBe(undefined);
    if (measured !== undefined) {
      onMeasurement?.({ test: name, ...measured, bound, ...deviation(data, want, comparison) });
    }
  }

  function upload(values: Values, through: EagerOperations = ops): Tensor {
    const tensor = through.fromData(toData(values), values.shape, values.dtype);
    uploads.push({ tensor, ops: through });
    return tensor;
  }

  async function check(operation: OperationCheck): Promise<void> {
    const fused = operation.kernel !== undefined && backend.fused[operation.kernel] !== undefined;
    await checkThrough(ops, operation, fused ? ' (fused)' : '', false);
    const composes = backend.supports.subnormals || operation.composedNeedsSubnormals !== true;
    if (fused && composes) await checkThrough(composed, operation, ' (composed from primitives)', true);
  }

  async function checkThrough(
    through: EagerOperations,
    operation: OperationCheck,
    variant: string,
    isComposed: boolean,
  ): Promise<void> {
    const label = `${operation.label}${variant} of ${operation.inputs.map(describeValues).join(', ')}`;
    const inputs = operation.inputs.map((values) => upload(values, through));
    const before = backend.memory();
    const returned = operation.run(through, inputs);
    const results = isTensors(returned) ? returned : [returned];
    const added = backend.memory().tensors - before.tensors;
    const wants = Array.isArray(operation.want) ? (operation.want as readonly Values[]) : [operation.want as Values];
    if (results.length !== wants.length) fail(`${label}: ${results.length} results, expected ${wants.length}`);
    for (const [i, want] of wants.entries()) {
      const bound = typeof operation.bound === 'string' ? operation.bound : operation.bound[i]!;
      // Labels begin with the name of the operation.
      const measured = { operation: /^\w*/.exec(operation.label)![0], composed: isComposed };
      const one = wants.length === 1 ? label : `result ${i} of ${label}`;
      await compareResult(one, results[i]!, want, bound, ops.backend, measured);
    }
    for (const [i, values] of operation.inputs.entries()) {
      await compare(`${label} changed its input ${i}, but tensors are immutable`, inputs[i]!, values, 'copy');
    }
    // After the values, which are the nearer cause where both are wrong.
    if (added !== results.length) {
      const kind = added > results.length ? 'a leak' : 'a handle that memory() does not count';
      fail(`${kind}: ${label} adds ${added} tensors to memory(), and gives ${results.length}`);
    }
    through.dispose(results);
    const { tensors, bytes } = backend.memory();
    if (tensors !== before.tensors || bytes !== before.bytes) {
      fail(
        `${label}: after dispose of its results, memory() is ${tensors} tensors (${bytes} bytes), and was ` +
          `${before.tensors} (${before.bytes})`,
      );
    }
    free(inputs);
  }

  function free(tensors: readonly Tensor[]): void {
    for (const tensor of tensors) {
      const at = uploads.findIndex((entry) => entry.tensor === tensor);
      const [entry] = uploads.splice(at, 1);
      if (!entry!.ops.isDisposed(tensor)) entry!.ops.dispose(tensor);
    }
  }

  return {
    backend,
    ops,
    composed,
    random: new Random(seed, name),
    expect,
    createAnother,
    upload,
    check,
    compare,
    fail,
    reading: () => reading,
    close: () => free(uploads.map((entry) => entry.tensor)),
  };
}

const isTensors = (value: Tensor | readonly Tensor[]): value is readonly Tensor[] => Array.isArray(value);

function toData(values: Values): TensorData {
  if (values.dtype === 'f32') return new Float32Array(values.data);
  return values.dtype === 'i32' ? new Int32Array(values.data) : new Uint8Array(values.data);
}
