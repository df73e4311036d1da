import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { createOperations, describeValue, isTypedArray, type LmdError, messageOf, typedArrayName } from './index.js';
import { createTestBackend, expectTensor } from './testing/index.js';

/** The value of an expression in another realm, whose classes are not those of this one. */
const foreign = (expression: string): never => runInNewContext(expression) as never;

describe('a typed array', () => {
  it('is known by its class in every realm, and nothing else is', () => {
    const array = foreign('Float32Array.of(1.5)');
    expect((array as unknown) instanceof Float32Array).toBe(false);
    expect(isTypedArray(array, 'Float32Array')).toBe(true);
    expect(isTypedArray(array, 'Float64Array')).toBe(false);
    expect(typedArrayName(Buffer.of(1))).toBe('Uint8Array');
    expect(typedArrayName(foreign('new BigInt64Array(1)'))).toBe('BigInt64Array');
    const pretender = { [Symbol.toStringTag]: 'Float32Array', length: 1 };
    for (const other of [
      pretender,
      [1],
      new DataView(new ArrayBuffer(4)),
      new ArrayBuffer(4),
      'text',
      null,
      undefined,
    ]) {
      expect(typedArrayName(other)).toBeUndefined();
    }
  });
});

describe('fromData', () => {
  const backend = createTestBackend();
  const ops = createOperations(backend);

  it.each([
    ['Float32Array', 'f32', [0.5, -0.25]],
    ['Float64Array', 'f32', [0.5, -0.25]],
    ['Int32Array', 'i32', [1, -2]],
    ['Uint8Array', 'u8', [1, 255]],
  ])('keeps a %s of another realm as %s, and hands the backend one of this', async (name, dtype, values) => {
    const seen: unknown[] = [];
    const spied = createOperations({
      ...backend,
      fromData(data, ...rest) {
        seen.push(data);
        return backend.fromData(data, ...rest);
      },
    });
    const x = spied.fromData(foreign(`${name}.from(${JSON.stringify(values)})`));
    expect(x.dtype).toBe(dtype);
    expect(Object.getPrototypeOf(seen[0])).toBe(globalThis[name as 'Float32Array'].prototype);
    await expectTensor(spied, x, [2], values);
  });

  it('keeps a plain array of another realm, and the bytes of a Buffer', async () => {
    await expectTensor(ops, ops.fromData(foreign('[0.5, 2]')), [2], [0.5, 2]);
    await expectTensor(ops, ops.fromData(Buffer.of(7, 8)), [2], [7, 8]);
  });

  it.each<[string, string, unknown, string]>([
    ['a Uint32Array', 'INVALID_ARGUMENT', Uint32Array.of(4000000000), 'data is a Uint32Array.'],
    ['an Int16Array', 'INVALID_ARGUMENT', Int16Array.of(1), 'data is an Int16Array.'],
    ['a clamped array', 'INVALID_ARGUMENT', Uint8ClampedArray.of(1), 'data is a Uint8ClampedArray.'],
    ['a BigInt64Array', 'INVALID_ARGUMENT', BigInt64Array.of(1n), 'data is a BigInt64Array.'],
    ['a Uint32Array of another realm', 'INVALID_ARGUMENT', foreign('Uint32Array.of(1)'), 'data is a Uint32Array.'],
    ['big integers', 'INVALID_ARGUMENT', [1n], '1n is not a value of dtype f32.'],
    ['a hole', 'INVALID_ARGUMENT', new Array(2), 'undefined is not a value of dtype f32.'],
    ['strings of digits', 'INVALID_ARGUMENT', ['1'], '"1" is not a value of dtype f32.'],
    ['nested arrays', 'INVALID_ARGUMENT', [[1, 2]], '[1, 2] is not a value of dtype f32.'],
    ['an object without a string', 'INVALID_ARGUMENT', [Object.create(null)], 'an object is not a value of dtype f32.'],
    ['a DataView', 'INVALID_ARGUMENT', new DataView(new ArrayBuffer(8)), 'data is a DataView.'],
    ['an ArrayBuffer', 'INVALID_ARGUMENT', new ArrayBuffer(8), 'data is an ArrayBuffer.'],
    ['a record', 'INVALID_ARGUMENT', { data: [1], shape: [1] }, 'data is an object with data, shape.'],
    ['an array-like', 'INVALID_ARGUMENT', { length: 1, 0: 1 }, 'data is an object with 0, length.'],
    ['a string', 'INVALID_ARGUMENT', 'ab', 'data is "ab".'],
    ['nothing', 'INVALID_ARGUMENT', undefined, 'data is undefined.'],
  ])('refuses %s by name', (_, code, data, message) => {
    const before = backend.memory();
    let error: unknown;
    try {
      ops.fromData(data as never);
    } catch (thrown) {
      error = thrown;
    }
    expect((error as LmdError).code).toBe(code);
    expect((error as LmdError).message).toContain(message);
    expect(backend.memory()).toEqual(before);
  });
});

describe('a value in a message', () => {
  it('is short, and never throws', () => {
    const revoked = Proxy.revocable([], {});
    revoked.revoke();
    const circular: unknown[] = [];
    circular.push(circular);
    const shown: [unknown, string][] = [
      ['x'.repeat(100), `"${'x'.repeat(77)}..."`],
      [Number.NaN, 'NaN'],
      [Symbol('s'), 'Symbol(s)'],
      [[1, Number.NaN, 'a'], '[1, NaN, "a"]'],
      [Array.from({ length: 20 }, (_, i) => i), '[0, 1, 2, 3, 4, 5, 6, 7, ...]'],
      [circular, '[an array]'],
      [revoked.proxy, 'an object'],
      [Object.create(null), 'an object'],
      [new Map(), 'a Map'],
      [() => 1, 'a function'],
    ];
    for (const [value, expected] of shown) expect(describeValue(value)).toBe(expected);
    expect(messageOf(foreign('new Error("far away")'))).toBe('far away');
    expect(messageOf('text')).toBe('"text"');
    expect(messageOf(undefined)).toBe('undefined');
  });
});
