import { runInNewContext } from 'node:vm';
import { isLmdError } from '@lmd/core';
import { describe, expect, it } from 'vitest';
import { parseIdx } from './idx.js';

/** A file of the given type byte, shape and value bytes. */
function idx(type: number, shape: readonly number[], values: readonly number[]): Uint8Array {
  return Uint8Array.from([
    0,
    0,
    type,
    shape.length,
    ...shape.flatMap((extent) => [extent >>> 24, (extent >>> 16) & 255, (extent >>> 8) & 255, extent & 255]),
    ...values,
  ]);
}

const code = (body: () => unknown) => {
  try {
    body();
  } catch (error) {
    return isLmdError(error) ? error.code : error;
  }
  return 'it did not throw';
};

describe('parseIdx', () => {
  it('reads every element type, big-endian', () => {
    expect(parseIdx(idx(0x08, [2, 3], [0, 1, 2, 3, 4, 255]))).toEqual({
      shape: [2, 3],
      data: Uint8Array.of(0, 1, 2, 3, 4, 255),
    });
    expect(parseIdx(idx(0x09, [2], [255, 128])).data).toEqual(Int8Array.of(-1, -128));
    expect(parseIdx(idx(0x0b, [2], [0, 1, 255, 254])).data).toEqual(Int16Array.of(1, -2));
    expect(parseIdx(idx(0x0c, [1], [0, 0, 1, 0])).data).toEqual(Int32Array.of(256));
    expect(parseIdx(idx(0x0d, [1], [0x3f, 0xc0, 0, 0])).data).toEqual(Float32Array.of(1.5));
    expect(parseIdx(idx(0x0e, [1], [0xbf, 0xe0, 0, 0, 0, 0, 0, 0])).data).toEqual(Float64Array.of(-0.5));
  });

  it('reads a view that begins anywhere in its buffer', () => {
    const file = idx(0x0c, [1], [0, 0, 0, 9]);
    const shifted = new Uint8Array(file.length + 3);
    shifted.set(file, 3);
    expect(parseIdx(shifted.subarray(3)).data).toEqual(Int32Array.of(9));
  });

  it('refuses a file cut at any byte, or with a byte too many', () => {
    const file = idx(0x08, [2, 2], [1, 2, 3, 4]);
    for (let length = 0; length < file.length; length++) {
      expect(code(() => parseIdx(file.subarray(0, length)))).toBe('DATA_CORRUPT');
    }
    expect(code(() => parseIdx(Uint8Array.from([...file, 0])))).toBe('DATA_CORRUPT');
  });

  it('refuses wrong magic numbers, a gzip file and a shape beyond all memory', () => {
    for (const bytes of [
      idx(0x07, [1], [0]),
      idx(0x08, [], []),
      Uint8Array.from([1, ...idx(0x08, [1], [0]).subarray(1)]),
      Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0),
      idx(0x08, [2 ** 32 - 1, 2 ** 32 - 1, 2 ** 32 - 1], [0]),
    ]) {
      expect(code(() => parseIdx(bytes, 'train-images'))).toBe('DATA_CORRUPT');
    }
  });

  it('names the file and the remedy', () => {
    expect(() => parseIdx(idx(0x08, [3], [0]), 'train-images')).toThrow(/train-images .*takes 11 bytes.*Download/);
  });

  it('takes a Uint8Array of another realm, and refuses what is none by name', () => {
    const foreign = runInNewContext('Uint8Array.from([0, 0, 8, 1, 0, 0, 0, 2, 3, 4])') as Uint8Array;
    expect(parseIdx(foreign)).toEqual({ shape: [2], data: Uint8Array.of(3, 4) });
    for (const wrong of [undefined, 'text', new Float32Array(8), new ArrayBuffer(8), [0, 0, 8, 1]]) {
      expect(code(() => parseIdx(wrong as never))).toBe('INVALID_ARGUMENT');
    }
  });
});
