import type { Backend, BackendMemory } from '../backend.js';
import { describeValue, LmdError } from '../errors.js';
import type { Tensor } from '../tensor.js';
import { formatShape } from './shapes.js';

/** The tensors made in one scope, in order; some may have been freed, kept or passed on since. */
interface Scope {
  readonly made: Tensor[];
  readonly parent: Scope | null;
}

/**
 * Tracks live tensors and the scopes that free them. Each operation looks its arguments up here, so a lookup is
 * one map access and a scope costs one array.
 */
export class Lifetimes {
  readonly #backend: Backend;
  /** Live tensors, with the scope that will free them; null outside all scopes and for kept ones. */
  readonly #live = new Map<Tensor, Scope | null>();
  readonly #freed = new WeakSet<Tensor>();
  #current: Scope | null = null;
  #peakBytes = 0;

  constructor(backend: Backend) {
    this.#backend = backend;
  }

  /** Tracks tensors that the backend made. */
  track<T extends Tensor>(operation: string, x: T): T {
    if (typeof x !== 'object' || x === null || !Array.isArray(x.shape)) {
      const found = describeValue(x);
      throw new LmdError('BACKEND_FAILURE', `${operation}: backend "${this.#backend.name}" returned ${found}.`, {
        subject: operation,
        value: x,
        remedy: 'A backend must return a handle with shape and dtype at once; only read is asynchronous.',
      });
    }
    if (this.#live.has(x)) {
      throw new LmdError(
        'BACKEND_FAILURE',
        `${operation}: backend "${this.#backend.name}" returned a handle that is already in use.`,
        {
          subject: operation,
          value: x.shape,
          remedy: 'A backend must return a new handle from each operation, even if storage is shared.',
        },
      );
    }
    this.#live.set(x, this.#current);
    this.#current?.made.push(x);
    return x;
  }

  /** Throws unless `x` is a live tensor of these operations. */
  check(operation: string, x: Tensor): void {
    if (!this.#live.has(x)) throw this.problem(operation, x);
  }

  isDisposed(x: Tensor): boolean {
    if (this.#live.has(x)) return false;
    if (this.#freed.has(x)) return true;
    throw this.problem('isDisposed', x);
  }

  dispose(operation: string, x: Tensor): void {
    this.check(operation, x);
    this.#notePeak();
    this.#free(x);
  }

  keep(x: Tensor): void {
    this.check('keep', x);
    this.#live.set(x, null);
  }

  scope<T>(body: () => T): T {
    const scope: Scope = { made: [], parent: this.#current };
    this.#current = scope;
    try {
      const result = body();
      if (isThenable(result)) {
        // Its own failure, if any, would otherwise surface as an unhandled rejection beside this error.
        result.then(undefined, () => {});
        throw new LmdError('INVALID_ARGUMENT', 'scope: the function returned a promise.', {
          subject: 'body',
          remedy: 'The function must be synchronous: return the tensors, and await `read` outside the scope.',
        });
      }
      if (typeof result === 'object' && result !== null) this.#release(result, scope, undefined);
      return result;
    } finally {
      this.#current = scope.parent;
      this.#sweep(scope);
    }
  }

  memory() {
    const { tensors, bytes } = this.#held();
    this.#peakBytes = Math.max(this.#peakBytes, bytes);
    return { tensors, bytes, peakBytes: this.#peakBytes };
  }

  #held(): BackendMemory {
    const held = this.#backend.memory();
    if (held?.tensors >= 0 && held.bytes >= 0) return held;
    const found = held === undefined || held === null ? describeValue(held) : JSON.stringify(held);
    throw new LmdError('BACKEND_FAILURE', `memory() of backend "${this.#backend.name}" returned ${found}.`, {
      subject: 'memory',
      value: held,
      remedy: 'It must return { tensors, bytes }, the numbers of live tensors and of their bytes.',
    });
  }

  resetPeak(): void {
    this.#peakBytes = this.#held().bytes;
  }

  /** Hands the scope's tensors found in `value` to the enclosing scope. */
  #release(value: object, scope: Scope, seen: Set<object> | undefined): void {
    const owner = this.#live.get(value as Tensor);
    if (owner !== undefined) {
      if (owner !== scope) return;
      this.#live.set(value as Tensor, scope.parent);
      scope.parent?.made.push(value as Tensor);
      return;
    }
    if (this.#freed.has(value as Tensor) || seen?.has(value) || !(Array.isArray(value) || isPlainRecord(value))) return;
    const visited = seen ?? new Set<object>();
    visited.add(value);
    for (const item of Object.values(value)) {
      if (typeof item === 'object' && item !== null) this.#release(item, scope, visited);
    }
  }

  #sweep(scope: Scope): void {
    if (scope.made.length === 0) return;
    this.#notePeak();
    for (const x of scope.made) if (this.#live.get(x) === scope) this.#free(x);
  }

  #free(x: Tensor): void {
    this.#live.delete(x);
    this.#freed.add(x);
    this.#backend.dispose(x);
  }

  /**
   * Memory only grows between disposals, so reading it before each disposal finds the peak.
   */
  #notePeak(): void {
    const { bytes } = this.#held();
    if (bytes > this.#peakBytes) this.#peakBytes = bytes;
  }

  /** The error for an argument that is not a live tensor of these operations. */
  problem(operation: string, x: Tensor): LmdError {
    if (typeof x !== 'object' || x === null || !Array.isArray(x.shape)) {
      return new LmdError('INVALID_ARGUMENT', `${operation}: expected a tensor, got ${describeValue(x)}.`, {
        subject: operation,
        value: x,
      });
    }
    const shape = formatShape(x.shape);
    if (this.#freed.has(x)) {
      return new LmdError('TENSOR_DISPOSED', `${operation}: the tensor of shape ${shape} was disposed.`, {
        subject: operation,
        value: x.shape,
        remedy: 'Return it from the scope that created it, or call keep() and later dispose().',
      });
    }
    return new LmdError(
      'INVALID_ARGUMENT',
      `${operation}: the tensor of shape ${shape} was not created by these operations.`,
      {
        subject: operation,
        value: x.shape,
        remedy: `Create it with the same createOperations object (backend "${this.#backend.name}"), or copy it there with read() and fromData().`,
      },
    );
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as PromiseLike<unknown>).then === 'function';
}

function isPlainRecord(value: object): boolean {
  const prototype = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype || Object.getPrototypeOf(prototype) === null;
}
