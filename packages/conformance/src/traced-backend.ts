import { type Backend, primitiveNames } from '@lmd/core';

/** Is told each call of a backend before it begins and after it has returned. */
export interface CallTrace {
  begin(call: string): void;
  end(): void;
  /** Is told what a call has thrown, or rejects with. */
  failed?(call: string, thrown: unknown): void;
}

const longestCall = 300;

/** `[2, 3] f32` for a tensor, and a short text for anything else. */
function shown(value: unknown): string {
  if (Array.isArray(value)) {
    const items = value.slice(0, 6).map(shown).join(', ');
    return `[${items}${value.length > 6 ? ', …' : ''}]`;
  }
  if (typeof value !== 'object' || value === null) return String(value);
  const { shape, dtype, length } = value as { shape?: readonly number[]; dtype?: string; length?: number };
  if (shape !== undefined && dtype !== undefined) return `[${shape.join(', ')}] ${dtype}`;
  return typeof length === 'number' ? `${length} values` : '{…}';
}

/**
 * The same backend, which tells each call of a primitive, of a kernel and of `memory`: what it was called with, and for
 * a read, which operation made the tensor. A call that never returns, or that ends the process, can then be named.
 */
export function tracedBackend(backend: Backend, trace: CallTrace): Backend {
  const origins = new WeakMap<object, string>();
  // Reads that are pending: what a test that never ends waits for.
  const pending = new Set<string>();
  let latest = '';
  const ended = () => {
    const [waiting] = pending;
    if (waiting === undefined) trace.end();
    else trace.begin(waiting);
  };
  function traced(name: string, owner: object, call: (...given: unknown[]) => unknown) {
    return (...given: unknown[]): unknown => {
      const origin = name === 'read' ? origins.get(given[0] as object) : undefined;
      const from = origin === undefined ? '' : `, the result of ${origin}`;
      const text = `${name}(${given.map(shown).join(', ')})${from}`.slice(0, longestCall);
      latest = text;
      trace.begin(text);
      let result: unknown;
      try {
        result = call.apply(owner, given);
      } catch (thrown) {
        trace.failed?.(text, thrown);
        throw thrown;
      }
      if (isPromise(result)) {
        pending.add(text);
        return result.then(
          (value) => {
            pending.delete(text);
            ended();
            return value;
          },
          (error) => {
            pending.delete(text);
            ended();
            trace.failed?.(text, error);
            throw error;
          },
        );
      }
      ended();
      for (const one of tensorsIn(result)) origins.set(one, text);
      return result;
    };
  }
  const memory = () => {
    trace.begin(`memory(), after ${latest}`);
    const result = backend.memory();
    ended();
    return result;
  };
  const kernels = Object.entries(backend.fused).map(([name, kernel]) => [
    name,
    typeof kernel === 'function' ? traced(name, backend.fused, kernel as (...given: unknown[]) => unknown) : kernel,
  ]);
  const members = primitiveNames.map((name) => [
    name,
    { value: traced(name, backend, backend[name] as (...given: unknown[]) => unknown) },
  ]);
  return Object.create(backend, {
    ...Object.fromEntries(members),
    memory: { value: memory },
    fused: { value: Object.fromEntries(kernels) },
  }) as Backend;
}

/** The tensors of a result: itself, or the members of a list or a record. */
function tensorsIn(result: unknown): readonly object[] {
  if (typeof result !== 'object' || result === null) return [];
  if ('shape' in result && 'dtype' in result) return [result];
  return Object.values(result).filter((one): one is object => typeof one === 'object' && one !== null);
}

const isPromise = (value: unknown): value is Promise<unknown> =>
  typeof value === 'object' && value !== null && typeof (value as Partial<Promise<unknown>>).then === 'function';
