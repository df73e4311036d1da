import { describe, expect, it } from 'vitest';
import {
  isSafetensorsError,
  openSafetensorsBlob,
  openShards,
  parseShardIndex,
  type SafetensorsFile,
  serializeSafetensors,
  tensorFrom,
} from './index.js';
import { mutate, Random } from './testing/mutate.js';

const a = tensorFrom(new Float32Array([1, 2]));
const b = tensorFrom(new Uint8Array([3]));
const index = JSON.stringify({
  metadata: { total_size: 9, note: 'split', flag: true, none: null },
  weight_map: { a: 'model-00001-of-00002.safetensors', b: 'model-00002-of-00002.safetensors' },
});
const shards: Record<string, Uint8Array> = {
  'model-00001-of-00002.safetensors': serializeSafetensors({ tensors: { a } }),
  'model-00002-of-00002.safetensors': serializeSafetensors({ tensors: { b } }),
};

/** Opens from memory, and counts what is open. */
function opener(files: Record<string, Uint8Array>) {
  const state = { open: 0 };
  const open = async (name: string): Promise<SafetensorsFile> => {
    if (files[name] === undefined) throw new Error(`${name} is missing.`);
    const file = await openSafetensorsBlob(new Blob([files[name] as Uint8Array<ArrayBuffer>]));
    state.open++;
    return { ...file, close: async () => void state.open-- };
  };
  return { open, state };
}

describe('a model in several files', () => {
  it('is read as one', async () => {
    const { open, state } = opener(shards);
    const model = await openShards(parseShardIndex(index), open);
    expect({ ...model.metadata }).toEqual({ total_size: 9, note: 'split', flag: true, none: null });
    expect([...model.entries.keys()]).toEqual(['a', 'b']);
    expect(model.entries.get('b')).toMatchObject({ dtype: 'U8', shape: [1], file: 'model-00002-of-00002.safetensors' });
    expect(await Promise.all([model.read('b'), model.read('a')])).toEqual([b, a]);
    await expect(model.read('c')).rejects.toMatchObject({ code: 'TENSOR_MISSING', subject: 'c' });
    await model.close();
    expect(state.open).toBe(0);
  });

  it('is read from an index that an editor gave a byte order mark', () => {
    expect(parseShardIndex(`\ufeff${index}`)).toEqual(parseShardIndex(index));
    expect(() => parseShardIndex(`\ufeff\ufeff${index}`)).toThrow(expect.objectContaining({ code: 'HEADER_INVALID' }));
  });

  it.each([
    [
      'cut',
      { 'model-00002-of-00002.safetensors': shards['model-00002-of-00002.safetensors']!.slice(0, -1) },
      'TRUNCATED',
    ],
    ['empty of it', { 'model-00002-of-00002.safetensors': serializeSafetensors({ tensors: {} }) }, 'TENSOR_MISSING'],
    [
      'more than the index says',
      { 'model-00002-of-00002.safetensors': serializeSafetensors({ tensors: { b, c: b } }) },
      'HEADER_INVALID',
    ],
    [
      'the tensor of another',
      { 'model-00002-of-00002.safetensors': serializeSafetensors({ tensors: { a, b } }) },
      'HEADER_INVALID',
    ],
  ])('names the file that is %s, and leaves none open', async (_, damaged, code) => {
    const { open, state } = opener({ ...shards, ...damaged });
    const error = await openShards(parseShardIndex(index), open).catch((thrown) => thrown);
    expect(error).toMatchObject({ code, message: expect.stringContaining('model-00002-of-00002.safetensors') });
    expect(state.open).toBe(0);
  });

  it.each([
    ['{', 'HEADER_INVALID'],
    ['{}', 'HEADER_INVALID'],
    ['{"weight_map": {"a": "x", "a": "y"}}', 'NAME_INVALID'],
    ['{"weight_map": {"__proto__": "x"}}', 'NAME_INVALID'],
    ['{"weight_map": {"a": "../x"}}', 'NAME_INVALID'],
    ['{"weight_map": {"a": "/etc/passwd"}}', 'NAME_INVALID'],
    ['{"weight_map": {"a": "c:\\\\x"}}', 'NAME_INVALID'],
    ['{"weight_map": {"a": ""}}', 'NAME_INVALID'],
    ['{"weight_map": {"a": 1}}', 'HEADER_INVALID'],
    ['{"weight_map": {}, "weights": {}}', 'HEADER_INVALID'],
    ['{"weight_map": {}} x', 'HEADER_INVALID'],
    ['{"metadata": {"a": []}, "weight_map": {}}', 'HEADER_INVALID'],
    ['{"metadata": {"a": 01}, "weight_map": {}}', 'HEADER_INVALID'],
  ])('refuses the index %s', (text, code) => {
    expect(() => parseShardIndex(text)).toThrow(expect.objectContaining({ code }));
  });

  it('throws only its own errors on damaged indexes, and agrees with JSON.parse on what it takes', () => {
    const random = new Random(1);
    const pretty = new TextEncoder().encode(JSON.stringify(JSON.parse(index), null, 2));
    let accepted = 0;
    for (let file = 0; file < 3000; file++) {
      const text = new TextDecoder().decode(mutate([pretty], random));
      try {
        const { fileOf, metadata } = parseShardIndex(text);
        accepted++;
        const plain = JSON.parse(text);
        expect(Object.fromEntries(fileOf)).toEqual(plain.weight_map);
        expect({ ...metadata }).toEqual(plain.metadata ?? {});
      } catch (error) {
        if (!isSafetensorsError(error)) throw error;
      }
    }
    expect(accepted).toBeGreaterThan(100);
    expect(accepted).toBeLessThan(1500);
  });
});

describe('openSafetensorsBlob', () => {
  it('reads tensors of a File one by one, and nothing else', async () => {
    const bytes = serializeSafetensors({ tensors: { a, b }, metadata: { format: 'lmd' } });
    const slices: [number, number][] = [];
    const blob = new Blob([bytes as Uint8Array<ArrayBuffer>]);
    const file = await openSafetensorsBlob({
      size: blob.size,
      slice: (start, end) => {
        slices.push([start, end]);
        return blob.slice(start, end);
      },
    });
    expect(file.metadata.format).toBe('lmd');
    expect(slices.at(-1)![1]).toBe(bytes.length - 9);
    expect(await file.read('b')).toEqual(b);
    expect(slices.at(-1)).toEqual([bytes.length - 1, bytes.length]);
    await file.close();
    await expect(file.read('a')).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });

  it('names a Blob that cannot be read any more', async () => {
    const slice = () => ({ arrayBuffer: () => Promise.reject(new Error('NotReadableError')) });
    await expect(openSafetensorsBlob({ size: 100, slice }, 'model.safetensors')).rejects.toMatchObject({
      code: 'FILE_SYSTEM',
      subject: 'model.safetensors',
    });
    const short = () => ({ arrayBuffer: async () => new ArrayBuffer(3) });
    await expect(openSafetensorsBlob({ size: 100, slice: short })).rejects.toMatchObject({ code: 'TRUNCATED' });
  });
});
