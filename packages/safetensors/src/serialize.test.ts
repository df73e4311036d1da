import { describe, expect, it } from 'vitest';
import { parseSafetensors, type SafetensorsTensor, serializeSafetensors, tensorFrom } from './index.js';

const one: SafetensorsTensor = { dtype: 'U8', shape: [1], data: new Uint8Array([5]) };

describe('serializeSafetensors', () => {
  it('writes tensors by alignment and then name, and metadata by name, in whatever order they come', () => {
    const wide = tensorFrom(new Float64Array([1]));
    const a = serializeSafetensors({ tensors: { b: one, a: one, z: wide }, metadata: { y: '1', x: '2' } });
    const b = serializeSafetensors({
      tensors: new Map([
        ['z', wide],
        ['a', one],
        ['b', one],
      ]),
      metadata: { x: '2', y: '1' },
    });
    expect(a).toEqual(b);
    expect([...parseSafetensors(a).tensors.keys()]).toEqual(['z', 'a', 'b']);
    expect(Object.keys(parseSafetensors(a).metadata)).toEqual(['x', 'y']);
  });

  it('begins the data at a multiple of 8', () => {
    for (let length = 0; length < 9; length++) {
      const bytes = serializeSafetensors({ tensors: { ['n'.repeat(length + 1)]: one } });
      expect((bytes.length - 1) % 8).toBe(0);
      expect(bytes.at(-1)).toBe(5);
    }
  });

  it('writes no metadata where there is none', () => {
    expect(serializeSafetensors({ tensors: { a: one }, metadata: {} })).toEqual(
      serializeSafetensors({ tensors: { a: one } }),
    );
  });

  it.each<[string, unknown, string]>([
    ['nothing', undefined, 'INVALID_ARGUMENT'],
    ['no tensors', {}, 'INVALID_ARGUMENT'],
    ['an unknown option', { tensors: {}, meta: {} }, 'INVALID_ARGUMENT'],
    ['a tensor without bytes', { tensors: { a: { dtype: 'U8', shape: [1], data: [1] } } }, 'INVALID_ARGUMENT'],
    ['a tensor that is null', { tensors: { a: null } }, 'INVALID_ARGUMENT'],
    ['an unknown dtype', { tensors: { a: { ...one, dtype: 'U9' } } }, 'DTYPE_UNKNOWN'],
    ['a shape that is no array', { tensors: { a: { ...one, shape: 1 } } }, 'SHAPE_INVALID'],
    ['a negative extent', { tensors: { a: { ...one, shape: [-1] } } }, 'SHAPE_INVALID'],
    ['a fractional extent', { tensors: { a: { ...one, shape: [0.5, 2] } } }, 'SHAPE_INVALID'],
    ['too few bytes', { tensors: { a: { ...one, shape: [2] } } }, 'SHAPE_INVALID'],
    ['half a byte', { tensors: { a: { ...one, dtype: 'F4' } } }, 'SHAPE_INVALID'],
    ['the name of metadata', { tensors: { __metadata__: one } }, 'NAME_INVALID'],
    ['__proto__', { tensors: new Map([['__proto__', one]]) }, 'NAME_INVALID'],
    ['a name with half a surrogate pair', { tensors: { '\ud800': one } }, 'NAME_INVALID'],
    ['a name that is no string', { tensors: new Map([[1, one]]) }, 'NAME_INVALID'],
    ['metadata that is no string', { tensors: {}, metadata: { a: 1 } }, 'INVALID_ARGUMENT'],
    ['metadata with half a surrogate pair', { tensors: {}, metadata: { a: '\udc00' } }, 'INVALID_ARGUMENT'],
    ['metadata in a map', { tensors: {}, metadata: new Map([['a', 'b']]) }, 'INVALID_ARGUMENT'],
  ])('refuses %s', (_, input, code) => {
    expect(() => serializeSafetensors(input as never)).toThrow(expect.objectContaining({ code }));
  });

  it('refuses a header beyond 100 MB', () => {
    const metadata = { a: 'x'.repeat(100_000_001) };
    expect(() => serializeSafetensors({ tensors: {}, metadata })).toThrow(
      expect.objectContaining({ code: 'HEADER_TOO_LARGE' }),
    );
  });
});
