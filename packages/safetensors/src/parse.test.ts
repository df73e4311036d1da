import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import {
  isSafetensorsError,
  parseSafetensors,
  type SafetensorsErrorCode,
  serializeSafetensors,
  tensorFrom,
  toFloat32Array,
  toTypedArray,
} from './index.js';

/** A file of a header as text and so many bytes of data. */
function file(header: string | Uint8Array, dataBytes = 0, claimedLength?: bigint): Uint8Array {
  const encoded = typeof header === 'string' ? new TextEncoder().encode(header) : header;
  const bytes = new Uint8Array(8 + encoded.length + dataBytes);
  new DataView(bytes.buffer).setBigUint64(0, claimedLength ?? BigInt(encoded.length), true);
  bytes.set(encoded, 8);
  return bytes;
}

const entry = (begin: number, end: number, dtype = 'U8', shape: unknown = [end - begin]) =>
  `{"dtype":"${dtype}","shape":${JSON.stringify(shape)},"data_offsets":[${begin},${end}]}`;

/** Text as one byte a character, which above U+007F is no UTF-8. */
const latin1 = (text: string) => Uint8Array.from(text, (character) => character.charCodeAt(0));

function codeOf(bytes: Uint8Array): string {
  try {
    parseSafetensors(bytes);
  } catch (error) {
    if (isSafetensorsError(error)) {
      expect(error.message.length).toBeLessThan(700);
      expect(error.remedy, error.message).toBeTruthy();
      return error.code;
    }
    throw error;
  }
  return 'accepted';
}

describe('parseSafetensors accepts', () => {
  it.each<[string, Uint8Array]>([
    ['no tensors', file('{}')],
    ['padding', file('{}      ')],
    ['whitespace between tokens', file(`{ "a" :\n\t${entry(0, 2)} , "b":${entry(2, 3)}\r\n}  `, 3)],
    ['entries in any order', file(`{"b":${entry(2, 3)},"a":${entry(0, 2)}}`, 3)],
    ['fields in any order', file('{"a":{"shape":[1],"data_offsets":[0,1],"dtype":"U8"}}', 1)],
    ['escaped names', file(`{"\\u00e4\\n\\"":${entry(0, 1)}}`, 1)],
    ['an empty name', file(`{"":${entry(0, 1)}}`, 1)],
    ['names of methods of Object', file(`{"constructor":${entry(0, 1)},"toString":${entry(1, 2)}}`, 2)],
    ['empty tensors anywhere', file(`{"a":${entry(0, 0)},"b":${entry(0, 2)},"c":${entry(2, 2)}}`, 2)],
    ['empty tensors named after those that share their start', file(`{"b":${entry(0, 2)},"a":${entry(0, 0)}}`, 2)],
    ['a scalar', file(`{"a":${entry(0, 8, 'F64', [])}}`, 8)],
    ['elements of 6 bits in whole bytes', file(`{"a":${entry(0, 3, 'F6_E3M2', [4])}}`, 3)],
    ['metadata', file('{"__metadata__":{"a":"b","c":""}}')],
  ])('%s', (_, bytes) => {
    expect(codeOf(bytes)).toBe('accepted');
  });

  it('gives views of the bytes, also where they begin in the middle of a buffer', () => {
    const inner = file(`{"b":${entry(2, 3)},"a":${entry(0, 2)}}`, 3);
    inner.set([7, 8, 9], inner.length - 3);
    const outer = new Uint8Array(inner.length + 3);
    outer.set(inner, 3);
    const { tensors } = parseSafetensors(outer.subarray(3));
    expect([...tensors.keys()]).toEqual(['a', 'b']);
    expect(tensors.get('a')?.data).toEqual(new Uint8Array([7, 8]));
    expect(tensors.get('a')?.data.buffer).toBe(outer.buffer);
  });

  it('finds nothing in metadata that the file does not hold', () => {
    const { metadata } = parseSafetensors(file('{"__metadata__":{"a":"b"}}'));
    expect(metadata.a).toBe('b');
    expect(metadata.constructor).toBeUndefined();
  });
});

describe('a header of many', () => {
  it('escapes is read', () => {
    const escapes = '\\n'.repeat(4_000_000);
    const { metadata } = parseSafetensors(file(`{"__metadata__":{"text":"${escapes}"}}`));
    expect(metadata.text!.length).toBe(4_000_000);
    expect(codeOf(file(`{"__metadata__":{"text":"${escapes}`))).toBe('HEADER_INVALID');
    expect(codeOf(file(`{"__metadata__":{"text":"${escapes}\\"}}`))).toBe('HEADER_INVALID');
  });

  it('tensors is read', () => {
    const entries = Array.from({ length: 200_000 }, (_, index) => `"t${index}":${entry(index, index + 1)}`);
    expect(parseSafetensors(file(`{${entries.join(',')}}`, entries.length)).tensors.size).toBe(entries.length);
  });

  it('extents is refused in few words', () => {
    const shape = new Array<number>(100_000).fill(1);
    try {
      parseSafetensors(file(`{"a":${entry(0, 4, 'U8', shape)}}`, 4));
      expect.unreachable();
    } catch (error) {
      expect(isSafetensorsError(error, 'OFFSETS_INVALID')).toBe(true);
      expect(String(error).length).toBeLessThan(500);
    }
  });
});

it('takes bytes and arrays of another realm', () => {
  const foreign = <T>(text: string): T => runInNewContext(text);
  const bytes = serializeSafetensors({
    tensors: {
      a: tensorFrom(foreign<Float32Array>('Float32Array.of(0.5, -1)')),
      b: tensorFrom(foreign<Uint16Array>('Uint16Array.of(0x3f80)'), [1], 'BF16'),
      c: { dtype: 'U8', shape: [2], data: foreign<Uint8Array>('Uint8Array.of(1, 2)') },
    },
  });
  const copy = foreign<(from: Uint8Array) => Uint8Array>('(from) => Uint8Array.from(from)')(bytes);
  expect(copy).not.toBeInstanceOf(Uint8Array);
  const { tensors } = parseSafetensors(copy);
  expect([toTypedArray(tensors.get('a')!), toTypedArray(tensors.get('c')!)]).toEqual([
    Float32Array.of(0.5, -1),
    Uint8Array.of(1, 2),
  ]);
  expect(toFloat32Array(tensors.get('b')!)).toEqual(Float32Array.of(1));
});

describe('parseSafetensors refuses', () => {
  it.each<[string, SafetensorsErrorCode, Uint8Array]>([
    ['nothing', 'TRUNCATED', new Uint8Array(0)],
    ['seven bytes', 'TRUNCATED', new Uint8Array(7)],
    ['a header longer than the file', 'TRUNCATED', file('{}', 0, 3n)],
    ['a header beyond 100 MB', 'HEADER_TOO_LARGE', file('{}', 0, 100_000_001n)],
    ['a header of 2^64 − 1 bytes', 'HEADER_TOO_LARGE', file('{}', 0, 2n ** 64n - 1n)],
    ['an empty header', 'HEADER_INVALID', file('')],
    ['a header that begins with a space', 'HEADER_INVALID', file(' {}')],
    ['a byte-order mark', 'HEADER_INVALID', file('\ufeff{}')],
    ['a list', 'HEADER_INVALID', file('[]')],
    ['half an object', 'HEADER_INVALID', file('{')],
    ['a trailing comma', 'HEADER_INVALID', file(`{"a":${entry(0, 1)},}`, 1)],
    ['padding other than spaces', 'HEADER_INVALID', file('{}\n')],
    ['zeros as padding', 'HEADER_INVALID', file('{}\0\0')],
    ['a second object', 'HEADER_INVALID', file('{}{}')],
    ['a comment', 'HEADER_INVALID', file('{/* */}')],
    ['invalid UTF-8', 'HEADER_INVALID', file(latin1(`{"\xff":${entry(0, 1)}}`), 1)],
    ['half a surrogate pair', 'HEADER_INVALID', file(`{"\\ud800":${entry(0, 1)}}`, 1)],
    ['a control character in a name', 'HEADER_INVALID', file(`{"\u0001":${entry(0, 1)}}`, 1)],
    ['an unknown escape', 'HEADER_INVALID', file(`{"\\x":${entry(0, 1)}}`, 1)],
    ['an unfinished string', 'HEADER_INVALID', file('{"a')],
    ['a name twice', 'NAME_INVALID', file(`{"a":${entry(0, 1)},"a":${entry(1, 2)}}`, 2)],
    ['a name twice, once escaped', 'NAME_INVALID', file(`{"a":${entry(0, 1)},"\\u0061":${entry(1, 2)}}`, 2)],
    ['a field twice', 'NAME_INVALID', file('{"a":{"dtype":"U8","dtype":"I8","shape":[],"data_offsets":[0,1]}}', 1)],
    ['metadata twice', 'NAME_INVALID', file('{"__metadata__":{},"__metadata__":{}}')],
    ['a metadata name twice', 'NAME_INVALID', file('{"__metadata__":{"a":"","a":""}}')],
    ['__proto__ as a tensor', 'NAME_INVALID', file(`{"__proto__":${entry(0, 1)}}`, 1)],
    ['__proto__ as a tensor, escaped', 'NAME_INVALID', file(`{"\\u005f_proto__":${entry(0, 1)}}`, 1)],
    ['__proto__ in metadata', 'NAME_INVALID', file('{"__metadata__":{"__proto__":"a"}}')],
    ['metadata that is null', 'HEADER_INVALID', file('{"__metadata__":null}')],
    ['a number in metadata', 'HEADER_INVALID', file('{"__metadata__":{"a":1}}')],
    ['an object in metadata', 'HEADER_INVALID', file('{"__metadata__":{"a":{}}}')],
    ['an entry that is a number', 'HEADER_INVALID', file('{"a":1}')],
    ['deep nesting', 'HEADER_INVALID', file(`{"a":${'['.repeat(100_000)}`)],
    ['an entry without dtype', 'HEADER_INVALID', file('{"a":{"shape":[1],"data_offsets":[0,1]}}', 1)],
    ['an entry without shape', 'HEADER_INVALID', file('{"a":{"dtype":"U8","data_offsets":[0,1]}}', 1)],
    ['an entry without offsets', 'HEADER_INVALID', file('{"a":{"dtype":"U8","shape":[1]}}', 1)],
    ['an unknown field', 'HEADER_INVALID', file('{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1],"x":1}}', 1)],
    ['one offset', 'HEADER_INVALID', file('{"a":{"dtype":"U8","shape":[1],"data_offsets":[0]}}', 1)],
    ['three offsets', 'HEADER_INVALID', file('{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1,1]}}', 1)],
    ['a negative offset', 'HEADER_INVALID', file('{"a":{"dtype":"U8","shape":[1],"data_offsets":[-1,0]}}', 1)],
    ['a fractional extent', 'HEADER_INVALID', file('{"a":{"dtype":"U8","shape":[1.0],"data_offsets":[0,1]}}', 1)],
    [
      'an extent with an exponent',
      'HEADER_INVALID',
      file('{"a":{"dtype":"U8","shape":[1e0],"data_offsets":[0,1]}}', 1),
    ],
    [
      'an extent with a leading zero',
      'HEADER_INVALID',
      file('{"a":{"dtype":"U8","shape":[01],"data_offsets":[0,1]}}', 1),
    ],
    [
      'an extent of 2^53',
      'HEADER_INVALID',
      file('{"a":{"dtype":"U8","shape":[9007199254740992],"data_offsets":[0,1]}}', 1),
    ],
    ['an unknown dtype', 'DTYPE_UNKNOWN', file(`{"a":${entry(0, 1, 'F3')}}`, 1)],
    ['a dtype in lower case', 'DTYPE_UNKNOWN', file(`{"a":${entry(0, 1, 'u8')}}`, 1)],
    ['a dtype that names a method', 'DTYPE_UNKNOWN', file(`{"a":${entry(0, 1, 'constructor')}}`, 1)],
    ['a shape that overflows', 'SHAPE_INVALID', file(`{"a":${entry(0, 0, 'U8', [2 ** 30, 2 ** 30])}}`)],
    ['bits that overflow', 'SHAPE_INVALID', file(`{"a":${entry(0, 0, 'F64', [2 ** 50])}}`)],
    ['half a byte', 'SHAPE_INVALID', file(`{"a":${entry(0, 2, 'F4', [3])}}`, 2)],
    ['three quarters of a byte', 'SHAPE_INVALID', file(`{"a":${entry(0, 1, 'F6_E2M3', [1])}}`, 1)],
    ['offsets that run backwards', 'OFFSETS_INVALID', file('{"a":{"dtype":"U8","shape":[1],"data_offsets":[1,0]}}', 1)],
    ['overlap', 'OFFSETS_INVALID', file(`{"a":${entry(0, 2)},"b":${entry(1, 3)}}`, 3)],
    ['the same bytes twice', 'OFFSETS_INVALID', file(`{"a":${entry(0, 2)},"b":${entry(0, 2)}}`, 2)],
    ['a hole', 'OFFSETS_INVALID', file(`{"a":${entry(0, 1)},"b":${entry(2, 3)}}`, 3)],
    ['a hole at the start', 'OFFSETS_INVALID', file(`{"a":${entry(1, 2)}}`, 2)],
    ['a rest', 'OFFSETS_INVALID', file(`{"a":${entry(0, 1)}}`, 2)],
    ['data without tensors', 'OFFSETS_INVALID', file('{}', 1)],
    ['too few bytes for the shape', 'OFFSETS_INVALID', file(`{"a":${entry(0, 1, 'U8', [2])}}`, 1)],
    ['too many bytes for the shape', 'OFFSETS_INVALID', file(`{"a":${entry(0, 3, 'I16', [1])}}`, 3)],
    ['data cut short', 'TRUNCATED', file(`{"a":${entry(0, 2)}}`, 1)],
  ])('%s: %s', (_, code, bytes) => {
    expect(codeOf(bytes)).toBe(code);
  });

  it('what is no Uint8Array', () => {
    expect(() => parseSafetensors('{}' as unknown as Uint8Array)).toThrow(/parseSafetensors was given "{}"/);
  });

  it('a file cut at any byte, or with a byte too many', () => {
    const data = { dtype: 'F32', shape: [3], data: new Uint8Array(12) } as const;
    const whole = serializeSafetensors({
      tensors: { a: data, 'b.c': { ...data, dtype: 'I32' } },
      metadata: { x: 'y' },
    });
    expect(codeOf(whole)).toBe('accepted');
    for (let length = 0; length < whole.length; length++) {
      expect(codeOf(whole.subarray(0, length)), `cut at ${length}`).toBe('TRUNCATED');
    }
    expect(codeOf(new Uint8Array([...whole, 0]))).toBe('OFFSETS_INVALID');
  });
});
