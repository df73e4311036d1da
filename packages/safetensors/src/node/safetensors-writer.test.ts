import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { serializeSafetensors, tensorFrom } from '../index.js';
import { createAtomicFile, createSafetensorsWriter, openShardedSafetensors, writeSafetensorsFile } from './index.js';

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lmd-safetensors-'));
  path = join(folder, 'model.safetensors');
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

const tensors = {
  'layer.weight': tensorFrom(new Float32Array([1, 2, 3, 4, 5, 6]), [2, 3]),
  'layer.codes': { dtype: 'F6_E3M2' as const, shape: [8], data: new Uint8Array([1, 2, 3, 4, 5, 6]) },
  scalar: tensorFrom(new Float64Array([7]), []),
  empty: tensorFrom(new Float32Array(0), [0, 3]),
};
const input = { tensors, metadata: { format: 'lmd' } };
/** Without the bytes: all that the writer is told. */
const descriptions = Object.fromEntries(
  Object.entries(tensors).map(([name, { dtype, shape }]) => [name, { dtype, shape }]),
);

describe('createSafetensorsWriter', () => {
  it('writes the bytes of serializeSafetensors, in whatever order and parts the tensors come', async () => {
    for (const order of [Object.entries(tensors), Object.entries(tensors).reverse()]) {
      const writer = await createSafetensorsWriter(path, { tensors: descriptions, metadata: input.metadata });
      expect([...writer.entries.keys()]).toEqual(['scalar', 'empty', 'layer.weight', 'layer.codes']);
      for (const [name, { data }] of order) {
        async function* parts() {
          for (let at = 0; at < data.length; at += 4) yield data.subarray(at, at + 4);
        }
        await writer.write(name, name === 'scalar' ? data : name === 'layer.codes' ? [data] : parts());
      }
      await writer.commit();
      await writer.discard();
      expect(new Uint8Array(await readFile(path))).toEqual(serializeSafetensors(input));
      expect(await readdir(folder)).toEqual(['model.safetensors']);
    }
  });

  it('shows nothing before commit, and leaves nothing after discard', async () => {
    await writeFile(path, 'old');
    const writer = await createSafetensorsWriter(path, { tensors: descriptions });
    await writer.write('scalar', tensors.scalar.data);
    expect(await readFile(path, 'utf8')).toBe('old');
    await writer.discard();
    await writer.discard();
    expect(await readFile(path, 'utf8')).toBe('old');
    expect(await readdir(folder)).toEqual(['model.safetensors']);
    await expect(writer.write('layer.codes', tensors['layer.codes'].data)).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
  });

  it('refuses tensors that are unknown, twice, too short, too long or left out', async () => {
    const writer = await createSafetensorsWriter(path, { tensors: descriptions });
    const { data } = tensors['layer.weight'];
    await expect(writer.write('other', data)).rejects.toMatchObject({ code: 'TENSOR_MISSING', subject: 'other' });
    for (const wrong of [data.subarray(1), [data, data.subarray(0, 1)], []]) {
      await expect(writer.write('layer.weight', wrong)).rejects.toMatchObject({
        code: 'SHAPE_INVALID',
        subject: 'layer.weight',
      });
    }
    await writer.write('layer.weight', data);
    await expect(writer.write('layer.weight', data)).rejects.toMatchObject({ code: 'NAME_INVALID' });
    await expect(writer.commit()).rejects.toMatchObject({ code: 'TENSOR_MISSING', value: 3 });
    expect(await readdir(folder)).toEqual([]);
  });

  it('refuses what no file can hold before it makes one', async () => {
    const create = (given: object) => createSafetensorsWriter(path, given as never);
    await expect(create({ tensors: { a: { dtype: 'F6_E2M3', shape: [3] } } })).rejects.toMatchObject({
      code: 'SHAPE_INVALID',
    });
    await expect(create({ tensors: { __metadata__: { dtype: 'U8', shape: [3] } } })).rejects.toMatchObject({
      code: 'NAME_INVALID',
    });
    await expect(create({ tensors: {}, compression: 'none' })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(createSafetensorsWriter(join(folder, 'none', 'm'), { tensors: {} })).rejects.toMatchObject({
      code: 'FILE_SYSTEM',
      value: 'ENOENT',
    });
    expect(await readdir(folder)).toEqual([]);
  });
});

describe('createAtomicFile', () => {
  it('writes at positions, and does nothing after its end', async () => {
    const file = await createAtomicFile(path);
    await file.write(new Uint8Array([1, 2, 3]));
    await file.write(new Uint8Array([9]), 1);
    await file.write(new Uint8Array([4]), 3);
    await file.commit();
    await file.commit();
    await file.discard();
    expect([...(await readFile(path))]).toEqual([1, 9, 3, 4]);
    await expect(file.write(new Uint8Array(1))).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });
});

describe('openShardedSafetensors', () => {
  const index = JSON.stringify({ metadata: {}, weight_map: { scalar: 'one.safetensors', empty: 'two.safetensors' } });

  it('reads files beside the index', async () => {
    const indexPath = join(folder, 'model.safetensors.index.json');
    await writeFile(indexPath, index);
    await writeSafetensorsFile(join(folder, 'one.safetensors'), { tensors: { scalar: tensors.scalar } });
    await expect(openShardedSafetensors(indexPath)).rejects.toMatchObject({
      code: 'FILE_SYSTEM',
      subject: join(folder, 'two.safetensors'),
    });
    await writeSafetensorsFile(join(folder, 'two.safetensors'), { tensors: { empty: tensors.empty } });
    const model = await openShardedSafetensors(indexPath);
    expect(await model.read('scalar')).toEqual(tensors.scalar);
    await model.close();
    await model.close();
    await expect(openShardedSafetensors(join(folder, 'none.json'))).rejects.toMatchObject({ code: 'FILE_SYSTEM' });
    await writeFile(indexPath, '{"weight_map": 1}');
    await expect(openShardedSafetensors(indexPath)).rejects.toMatchObject({
      code: 'HEADER_INVALID',
      message: expect.stringContaining(indexPath),
    });
  });
});
