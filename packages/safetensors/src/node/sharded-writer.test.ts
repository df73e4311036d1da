import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { serializeSafetensors, tensorFrom } from '../index.js';
import { createShardedSafetensorsWriter, openShardedSafetensors } from './index.js';

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lmd-shards-'));
  path = join(folder, 'model.safetensors');
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

const tensors = {
  a: tensorFrom(new Float32Array([1, 2, 3]), [3]),
  b: tensorFrom(new Float32Array([4, 5]), [2]),
  large: tensorFrom(Float32Array.from({ length: 10 }, Math.sqrt), [2, 5]),
  c: tensorFrom(new Uint8Array([6]), [1]),
  empty: tensorFrom(new Float32Array(0), [0]),
};
const descriptions = Object.fromEntries(
  Object.entries(tensors).map(([name, { dtype, shape }]) => [name, { dtype, shape }]),
);
const metadata = { format: 'pt' };
const files = [1, 2, 3].map((number) => `model-0000${number}-of-00003.safetensors`);

async function written(maxShardBytes = 20) {
  const writer = await createShardedSafetensorsWriter(path, { tensors: descriptions, metadata, maxShardBytes });
  for (const [name, { data }] of Object.entries(tensors)) await writer.write(name, data);
  return writer;
}

describe('createShardedSafetensorsWriter', () => {
  it('splits a model in the order given; the index is read back as one model', async () => {
    const writer = await written();
    expect(writer.files).toEqual(files);
    expect(await readdir(folder)).toHaveLength(3);
    expect((await readdir(folder)).every((name) => name.endsWith('.tmp'))).toBe(true);
    await writer.commit();
    expect((await readdir(folder)).sort()).toEqual([...files, 'model.safetensors.index.json']);
    const model = await openShardedSafetensors(`${path}.index.json`);
    expect({ ...model.metadata }).toEqual({ format: 'pt', total_size: 61 });
    for (const [name, tensor] of Object.entries(tensors)) expect(await model.read(name)).toEqual(tensor);
    const fileOf = Object.fromEntries([...model.entries].map(([name, { file }]) => [name, file]));
    expect(fileOf).toEqual({ a: files[0], b: files[0], large: files[1], c: files[2], empty: files[2] });
    await model.close();
    expect(await readFile(join(folder, files[1]!))).toEqual(
      Buffer.from(serializeSafetensors({ tensors: { large: tensors.large }, metadata })),
    );
  });

  it('is a single file without an index where all fit', async () => {
    await writeFile(`${path}.index.json`, '{}');
    const writer = await written(61);
    expect(writer.files).toEqual(['model.safetensors']);
    await writer.commit();
    expect(await readdir(folder)).toEqual(['model.safetensors']);
    expect(await readFile(path)).toEqual(Buffer.from(serializeSafetensors({ tensors, metadata })));
  });

  it('leaves what was there until it is whole, and then takes its place', async () => {
    await writeFile(path, 'old');
    await writeFile(`${path}.index.json`, 'old');
    const abandoned = await written();
    await abandoned.discard();
    await abandoned.discard();
    expect((await readdir(folder)).sort()).toEqual(['model.safetensors', 'model.safetensors.index.json']);
    await (await written()).commit();
    expect((await readdir(folder)).sort()).toEqual([...files, 'model.safetensors.index.json']);
  });

  it('leaves nothing, and no index, when a tensor is missing or a file cannot take its place', async () => {
    const options = { tensors: descriptions, metadata, maxShardBytes: 20 };
    const short = await createShardedSafetensorsWriter(path, options);
    await short.write('a', tensors.a.data);
    await expect(short.commit()).rejects.toMatchObject({ code: 'TENSOR_MISSING', subject: 'b' });
    expect(await readdir(folder)).toEqual([]);
    await mkdir(join(folder, files[1]!));
    await writeFile(`${path}.index.json`, 'old');
    const writer = await written();
    await expect(writer.commit()).rejects.toMatchObject({ code: 'FILE_SYSTEM' });
    // The first file is there, whole; nothing says that it is a model.
    expect((await readdir(folder)).sort()).toEqual(files.slice(0, 2));
  });

  it('refuses wrong sizes, and tensors that were not announced', async () => {
    for (const maxShardBytes of [0, -1, 1.5, Number.NaN]) {
      await expect(written(maxShardBytes)).rejects.toMatchObject({ subject: 'maxShardBytes' });
    }
    const writer = await written();
    await expect(writer.write('d', new Uint8Array(1))).rejects.toMatchObject({ code: 'TENSOR_MISSING', subject: 'd' });
    await expect(writer.write('a', tensors.a.data)).rejects.toMatchObject({ code: 'NAME_INVALID' });
    await writer.discard();
    expect(await readdir(folder)).toEqual([]);
  });
});
