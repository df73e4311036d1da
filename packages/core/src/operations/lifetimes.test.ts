import { describe, expect, it } from 'vitest';
import { createOperations, isLmdError, type Tensor } from '../index.js';
import { createTestBackend } from '../testing/index.js';

function setUp() {
  const backend = createTestBackend();
  const ops = createOperations(backend);
  return { backend, ops, live: () => backend.memory().tensors };
}

function errorOf(body: () => unknown): { code: string; message: string } {
  try {
    body();
  } catch (error) {
    if (isLmdError(error)) return { code: error.code, message: error.message };
    throw error;
  }
  throw new Error('Nothing was thrown.');
}

describe('scope', () => {
  it('frees what it made, but for the result', async () => {
    const { ops, live } = setUp();
    const x = ops.fromData([1, 2]);
    const y = ops.scope(() => ops.add(ops.multiply(x, 2), ops.exp(x)));
    expect(live()).toBe(2);
    expect(ops.isDisposed(y)).toBe(false);
    expect([...(await ops.read(y))]).toEqual([
      Math.fround(2 + Math.fround(Math.E)),
      expect.closeTo(4 + Math.E ** 2, 5),
    ]);
  });

  it('finds results in nested arrays and plain records, each once, and nowhere else', () => {
    const { ops, live } = setUp();
    const kept: Tensor[] = [];
    const loop: Record<string, unknown> = { name: 'a', none: null };
    const result = ops.scope(() => {
      const [a, b, c, d] = [1, 2, 3, 4].map((value) => ops.full([], value)) as [Tensor, Tensor, Tensor, Tensor];
      kept.push(a, b, c, d);
      loop.self = loop;
      return { list: [a, [b, a]], map: new Map([['c', c]]), loop, bare: Object.assign(Object.create(null), { d }) };
    });
    expect(result.list[0]).toBe(kept[0]);
    expect(kept.map((x) => ops.isDisposed(x))).toEqual([false, false, true, false]);
    expect(live()).toBe(3);
  });

  it('hands its result to the enclosing scope, which frees it', () => {
    const { ops, live } = setUp();
    ops.scope(() => {
      const inner = ops.scope(() => ops.zeros([4]));
      expect(ops.isDisposed(inner)).toBe(false);
      expect(live()).toBe(1);
    });
    expect(live()).toBe(0);
  });

  it('leaves the tensors of outer scopes alone, also as a result', () => {
    const { ops, live } = setUp();
    const x = ops.zeros([1]);
    expect(ops.scope(() => ops.scope(() => x))).toBe(x);
    expect(live()).toBe(1);
  });

  it('frees everything when the body throws, and stays usable', () => {
    const { ops, live } = setUp();
    const fail = () =>
      ops.scope(() => {
        ops.zeros([2]);
        ops.scope(() => {
          ops.zeros([3]);
          throw new RangeError('mine');
        });
      });
    expect(fail).toThrow(RangeError);
    expect(live()).toBe(0);
    ops.dispose(ops.scope(() => ops.zeros([1])));
    expect(live()).toBe(0);
  });

  it('refuses a promise, even one that fails, and frees what was made', async () => {
    const { ops, live } = setUp();
    const error = errorOf(() =>
      ops.scope(async () => {
        ops.zeros([1]);
        throw new Error('late');
      }),
    );
    expect(error.code).toBe('INVALID_ARGUMENT');
    expect(error.message).toContain('await `read` outside the scope');
    expect(live()).toBe(0);
  });

  it('does not free twice what its body has freed, and frees no kept tensor', () => {
    const { ops, live } = setUp();
    const kept = ops.scope(() => {
      ops.dispose(ops.zeros([1]));
      const x = ops.keep(ops.zeros([1]));
      return { hidden: () => x };
    });
    expect(live()).toBe(1);
    ops.dispose(kept.hidden());
    expect(live()).toBe(0);
  });
});

describe('adopt', () => {
  it('takes charge of what the backend made by itself, in the current scope', () => {
    const { ops, live } = setUp();
    ops.scope(() => {
      ops.adopt(ops.backend.full([2], 1, 'f32'));
      expect(live()).toBe(1);
    });
    expect(live()).toBe(0);
    const x = ops.adopt(ops.backend.full([2], 1, 'f32'));
    expect(ops.isDisposed(x)).toBe(false);
    expect(errorOf(() => ops.adopt(x)).code).toBe('BACKEND_FAILURE');
    ops.dispose(x);
    expect(live()).toBe(0);
  });
});

describe('dispose', () => {
  it('takes a tensor, a list or a record', () => {
    const { ops, live } = setUp();
    ops.dispose(ops.zeros([1]));
    ops.dispose([ops.zeros([1]), ops.zeros([2])]);
    ops.dispose({ a: ops.zeros([1]), b: ops.zeros([2]) });
    expect(live()).toBe(0);
  });

  it('refuses a tensor that is gone, alone or in a list', () => {
    const { ops } = setUp();
    const x = ops.zeros([2, 3]);
    ops.dispose(x);
    expect(errorOf(() => ops.dispose(x))).toMatchObject({
      code: 'TENSOR_DISPOSED',
      message: expect.stringContaining('dispose: the tensor of shape [2, 3] was disposed.'),
    });
    expect(errorOf(() => ops.dispose([x])).code).toBe('TENSOR_DISPOSED');
    expect(errorOf(() => ops.dispose(undefined as never)).code).toBe('INVALID_ARGUMENT');
  });
});

describe('use of a tensor', () => {
  it('that is freed names the operation and the shape', () => {
    const { ops } = setUp();
    const x = ops.zeros([2, 3]);
    ops.dispose(x);
    for (const use of [() => ops.exp(x), () => ops.add(1, x), () => ops.sum(x), () => ops.keep(x)]) {
      expect(errorOf(use).code).toBe('TENSOR_DISPOSED');
    }
    expect(errorOf(() => ops.exp(x)).message).toContain('exp: the tensor of shape [2, 3] was disposed.');
  });

  it('of other operations is refused, as is what is no tensor', () => {
    const { ops, backend } = setUp();
    const other = createOperations(backend).zeros([1]);
    expect(errorOf(() => ops.exp(other)).message).toContain('was not created by these operations');
    expect(errorOf(() => ops.isDisposed(other)).code).toBe('INVALID_ARGUMENT');
    for (const wrong of [null, undefined, 'x', {}, [1]]) {
      expect(errorOf(() => ops.exp(wrong as unknown as Tensor)).message).toContain('exp: expected a tensor, got');
    }
  });

  it('by read rejects rather than throws', async () => {
    const { ops } = setUp();
    const x = ops.zeros([1]);
    ops.dispose(x);
    await expect(ops.read(x)).rejects.toMatchObject({ code: 'TENSOR_DISPOSED' });
  });
});

describe('memory', () => {
  it('reports the peak between disposals, and starts it afresh', () => {
    const { ops } = setUp();
    const x = ops.zeros([100]);
    ops.scope(() => [1, 2, 3].forEach(() => void ops.zeros([100])));
    expect(ops.memory()).toEqual({ tensors: 1, bytes: 400, peakBytes: 1600 });
    ops.resetPeakMemory();
    expect(ops.memory().peakBytes).toBe(400);
    const y = ops.zeros([50]);
    ops.dispose(y);
    ops.dispose(x);
    expect(ops.memory()).toEqual({ tensors: 0, bytes: 0, peakBytes: 600 });
  });
});

it('catches a backend that returns a handle twice', () => {
  const backend = createTestBackend();
  const ops = createOperations({ ...backend, negate: (x) => x });
  expect(errorOf(() => ops.negate(ops.zeros([1]))).code).toBe('BACKEND_FAILURE');
});

it.each([
  ['nothing', { negate: () => undefined }, /negate: backend ".*" returned undefined\. .* handle/],
  ['a promise', { negate: async () => null }, /negate: backend ".*" returned .* only read is asynchronous/],
  ['no memory', { memory: () => undefined }, /memory\(\) of backend ".*" returned undefined\. It must return/],
  ['no numbers', { memory: () => ({ tensors: 1, bytes: Number.NaN }) }, /memory\(\) of .* returned .*"bytes":null/],
])('a backend that returns %s is named', (_, wrong, message) => {
  const ops = createOperations({ ...createTestBackend(), ...(wrong as object) });
  const error = errorOf(() => ops.scope(() => ops.negate(ops.zeros([1]))));
  expect([error.code, error.message]).toEqual(['BACKEND_FAILURE', expect.stringMatching(message)]);
});
