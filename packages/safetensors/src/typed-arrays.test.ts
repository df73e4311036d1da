import { describe, expect, it } from 'vitest';
import {
  bitsPerElement,
  type SafetensorsTensor,
  safetensorsDtypes,
  tensorFrom,
  toFloat32Array,
  toFloat64Array,
  toInt32Array,
  toTypedArray,
} from './index.js';

describe('typed arrays', () => {
  it.each([
    ['F32', new Float32Array([1.5, -0, Number.NaN])],
    ['F64', new Float64Array([Math.PI, -1e300])],
    ['I8', new Int8Array([-128, 127])],
    ['I16', new Int16Array([-32768, 5])],
    ['I32', new Int32Array([-(2 ** 31), 7])],
    ['I64', new BigInt64Array([-(2n ** 63n), 9n])],
    ['U8', new Uint8Array([255])],
    ['U16', new Uint16Array([65535])],
    ['U32', new Uint32Array([2 ** 32 - 1])],
    ['U64', new BigUint64Array([2n ** 64n - 1n])],
  ] as const)('carry %s there and back, from bytes at any offset', (dtype, array) => {
    const tensor = tensorFrom(array);
    expect(tensor.dtype).toBe(dtype);
    expect(tensor.shape).toEqual([array.length]);
    const shifted = new Uint8Array(tensor.data.length + 3);
    shifted.set(tensor.data, 3);
    const back = toTypedArray({ ...tensor, data: shifted.subarray(3) });
    expect(back).toEqual(array);
    expect(back.buffer).not.toBe(shifted.buffer);
  });

  it('are taken from the middle of a buffer', () => {
    const middle = new Int32Array([1, 2, 3, 4]).subarray(1, 3);
    expect(toInt32Array(tensorFrom(middle))).toEqual(new Int32Array([2, 3]));
  });

  it('give every dtype an array of as many bits', () => {
    for (const dtype of safetensorsDtypes) {
      const tensor: SafetensorsTensor = { dtype, shape: [4], data: new Uint8Array(bitsPerElement(dtype) / 2) };
      expect(toTypedArray(tensor).byteLength, dtype).toBe(bitsPerElement(dtype) / 2);
    }
  });

  it('take bits as the dtype that they are named', () => {
    const bits = new Uint16Array([0x3f80, 0xc000]);
    expect(toFloat32Array(tensorFrom(bits, [2, 1], 'BF16'))).toEqual(new Float32Array([1, -2]));
    expect(tensorFrom(new Uint8Array([1, 2, 3]), [4], 'F6_E2M3').dtype).toBe('F6_E2M3');
    expect(tensorFrom(new Float32Array(4), [2], 'C64').shape).toEqual([2]);
  });

  it('widen every F16 to the number that its bits define', () => {
    const bits = Uint16Array.from({ length: 65536 }, (_, index) => index);
    const values = toFloat32Array(tensorFrom(bits, [65536], 'F16'));
    const finite = (index: number) => (index & 0x7c00) !== 0x7c00;
    // Between neighbours of one binade the step is the same; the anchors are those of IEEE 754 binary16.
    expect([values[0], values[1], values[0x3ff], values[0x400]]).toEqual([0, 2 ** -24, 1023 * 2 ** -24, 2 ** -14]);
    expect([values[0x3c00], values[0x3c01], values[0x7bff]]).toEqual([1, 1 + 2 ** -10, 65504]);
    expect([values[0x7c00], values[0xfc00], values[0x7e00]]).toEqual([Infinity, -Infinity, Number.NaN]);
    expect(Object.is(values[0x8000], -0)).toBe(true);
    for (let index = 1; index < 0x7c00; index++) expect(values[index]! > values[index - 1]!).toBe(true);
    for (let index = 0; index < 0x8000; index++)
      if (finite(index)) expect(values[index + 0x8000]).toBe(-values[index]!);
  });

  it('refuse a conversion that would lose something or is not what was asked', () => {
    const f64 = tensorFrom(new Float64Array(1));
    expect(() => toFloat32Array(f64)).toThrow(expect.objectContaining({ code: 'DTYPE_MISMATCH' }));
    expect(() => toInt32Array(f64)).toThrow(/The tensor is F64/);
    expect(() => toFloat64Array(tensorFrom(new Float32Array(1)))).toThrow(/The tensor is F32/);
    expect(() => tensorFrom(new Float32Array(1), [1], 'BF16')).toThrow(
      expect.objectContaining({ code: 'DTYPE_MISMATCH' }),
    );
    expect(() => tensorFrom(new Float32Array(1), [1], 'F33' as never)).toThrow(
      expect.objectContaining({ code: 'DTYPE_UNKNOWN' }),
    );
    expect(() => tensorFrom(new Float32Array(3), [2])).toThrow(expect.objectContaining({ code: 'SHAPE_INVALID' }));
    expect(() => tensorFrom([1, 2] as never)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
    expect(() => toTypedArray({ ...f64, data: new Uint8Array(7) })).toThrow(/7 bytes/);
  });

  it('give back values that are there', () => {
    expect(toFloat64Array(tensorFrom(new Float64Array([2])))).toEqual(new Float64Array([2]));
    expect(toInt32Array(tensorFrom(new Int32Array([3])))).toEqual(new Int32Array([3]));
  });
});

it('copies a tensor whose bytes stand in a Node Buffer, whose slice is another word for subarray', () => {
  const file = Buffer.alloc(64);
  file.writeFloatLE(1.5, 16);
  const copy = toFloat32Array({ dtype: 'F32', shape: [1], data: file.subarray(16, 20) });
  expect([...copy]).toEqual([1.5]);
  file.fill(0);
  expect([...copy]).toEqual([1.5]);
});
