import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { serializeSafetensors, tensorFrom } from '../index.js';
import { openSafetensorsFile, readSafetensorsFile, writeFileAtomic, writeSafetensorsFile } from './index.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lmd-safetensors-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

const input = {
  tensors: { a: tensorFrom(new Float32Array([1, 2, 3])), b: tensorFrom(new Uint8Array([4, 5]), [1, 2]) },
  metadata: { format: 'lmd' },
};

describe('writeFileAtomic', () => {
  it('writes text, bytes and parts, replaces what was there, and leaves nothing else', async () => {
    const path = join(folder, 'file');
    await writeFileAtomic(path, 'Grüße');
    expect(await readFile(path, 'utf8')).toBe('Grüße');
    await writeFileAtomic(path, new Uint8Array([1, 2]));
    expect(await readFile(path)).toEqual(Buffer.from([1, 2]));
    await writeFileAtomic(path, [new Uint8Array([3]), new Uint8Array(0), new Uint8Array([4, 5])]);
    expect(await readFile(path)).toEqual(Buffer.from([3, 4, 5]));
    expect(await readdir(folder)).toEqual(['file']);
  });

  it('leaves the old contents and nothing else where writing fails midway', async () => {
    const path = join(folder, 'file');
    await writeFileAtomic(path, 'old');
    const failure = new Error('no more parts');
    function* parts(): Generator<Uint8Array> {
      yield new Uint8Array(100_000);
      throw failure;
    }
    await expect(writeFileAtomic(path, parts())).rejects.toBe(failure);
    expect(await readFile(path, 'utf8')).toBe('old');
    expect(await readdir(folder)).toEqual(['file']);
  });

  it('shows the old contents until the new ones are whole', async () => {
    const path = join(folder, 'file');
    await writeFileAtomic(path, 'old');
    const seen: string[] = [];
    const { readFileSync } = await import('node:fs');
    function* parts(): Generator<Uint8Array> {
      for (let part = 0; part < 3; part++) {
        seen.push(readFileSync(path, 'utf8'));
        yield new TextEncoder().encode('new');
      }
    }
    await writeFileAtomic(path, parts());
    expect(seen).toEqual(['old', 'old', 'old']);
    expect(await readFile(path, 'utf8')).toBe('newnewnew');
  });

  it('keeps one writer whole among many at once', async () => {
    const path = join(folder, 'file');
    const texts = Array.from({ length: 12 }, (_, index) => String(index).repeat(20_000));
    await Promise.all(texts.map((text) => writeFileAtomic(path, text)));
    expect(texts).toContain(await readFile(path, 'utf8'));
    expect(await readdir(folder)).toEqual(['file']);
  });

  it('names the path and the remedy where the system refuses', async () => {
    const missing = join(folder, 'missing', 'file');
    await expect(writeFileAtomic(missing, 'x')).rejects.toMatchObject({
      code: 'FILE_SYSTEM',
      subject: missing,
      value: 'ENOENT',
      remedy: expect.stringContaining('create the folder'),
    });
    const occupied = join(folder, 'occupied');
    await mkdir(join(occupied, 'inner'), { recursive: true });
    await expect(writeFileAtomic(occupied, 'x')).rejects.toMatchObject({ code: 'FILE_SYSTEM', subject: occupied });
    expect(await readdir(folder)).toEqual(['occupied']);
    await writeFile(join(folder, 'plain'), '');
    await expect(writeFileAtomic(join(folder, 'plain', 'file'), 'x')).rejects.toMatchObject({ code: 'FILE_SYSTEM' });
  });

  it('replaces a symbolic link and spares what it points to', async ({ skip }) => {
    skip(process.platform === 'win32', 'symbolic links need a privilege on Windows');
    await writeFile(join(folder, 'target'), 'target');
    await symlink(join(folder, 'target'), join(folder, 'link'));
    await writeFileAtomic(join(folder, 'link'), 'new');
    expect(await readFile(join(folder, 'target'), 'utf8')).toBe('target');
    expect(await readFile(join(folder, 'link'), 'utf8')).toBe('new');
  });
});

describe('safetensors files', () => {
  it('are the bytes of serializeSafetensors, and read back', async () => {
    const path = join(folder, 'model.safetensors');
    await writeSafetensorsFile(path, input);
    expect(new Uint8Array(await readFile(path))).toEqual(serializeSafetensors(input));
    const { tensors, metadata } = await readSafetensorsFile(path);
    expect(tensors.get('a')).toEqual(input.tensors.a);
    expect(tensors.get('b')).toEqual(input.tensors.b);
    expect(metadata.format).toBe('lmd');
  });

  it('are read one tensor at a time, at the same time too', async () => {
    const path = join(folder, 'model.safetensors');
    await writeSafetensorsFile(path, input);
    const file = await openSafetensorsFile(path);
    try {
      expect(file.metadata.format).toBe('lmd');
      expect([...file.entries.keys()]).toEqual(['a', 'b']);
      const [b, a] = await Promise.all([file.read('b'), file.read('a')]);
      expect(a).toEqual(input.tensors.a);
      expect(b).toEqual(input.tensors.b);
      await expect(file.read('c')).rejects.toMatchObject({ code: 'TENSOR_MISSING', subject: 'c' });
    } finally {
      await file.close();
    }
    await file.close();
    await expect(file.read('a')).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });

  it('are refused where they are cut, wherever that is, both ways of reading', async () => {
    const path = join(folder, 'model.safetensors');
    const whole = serializeSafetensors(input);
    for (let length = 0; length < whole.length; length++) {
      await writeFile(path, whole.subarray(0, length));
      await expect(readSafetensorsFile(path), `cut at ${length}`).rejects.toMatchObject({ code: 'TRUNCATED' });
      await expect(openSafetensorsFile(path), `cut at ${length}`).rejects.toMatchObject({ code: 'TRUNCATED' });
    }
  });

  it('that are missing, or are folders, are named', async () => {
    for (const read of [readSafetensorsFile, openSafetensorsFile]) {
      await expect(read(join(folder, 'none'))).rejects.toMatchObject({
        code: 'FILE_SYSTEM',
        subject: join(folder, 'none'),
        value: 'ENOENT',
      });
      await expect(read(folder)).rejects.toMatchObject({ code: 'FILE_SYSTEM', subject: folder });
    }
  });

  it('report a file that shrinks after it was opened', async () => {
    const path = join(folder, 'model.safetensors');
    await writeSafetensorsFile(path, input);
    const file = await openSafetensorsFile(path);
    await writeFile(path, serializeSafetensors(input).subarray(0, 40));
    await expect(file.read('b')).rejects.toMatchObject({ code: 'TRUNCATED' });
    await file.close();
  });

  it('are closed again, however reading ends', async ({ skip }) => {
    skip(process.platform !== 'linux', 'open files are counted in /proc, which only Linux has');
    const path = join(folder, 'model.safetensors');
    const open = async () => (await readdir('/proc/self/fd')).length;
    const before = await open();
    await writeSafetensorsFile(path, input);
    await readSafetensorsFile(path);
    await (await openSafetensorsFile(path)).close();
    await writeFile(path, 'no safetensors file');
    await expect(readSafetensorsFile(path)).rejects.toMatchObject({ code: 'HEADER_TOO_LARGE' });
    await expect(openSafetensorsFile(path)).rejects.toMatchObject({ code: 'HEADER_TOO_LARGE' });
    expect(await open()).toBe(before);
  });

  it('are not written at all when a tensor is wrong', async () => {
    const path = join(folder, 'model.safetensors');
    const wrong = { tensors: { a: { dtype: 'F32' as const, shape: [2], data: new Uint8Array(4) } } };
    await expect(writeSafetensorsFile(path, wrong)).rejects.toMatchObject({ code: 'SHAPE_INVALID', subject: 'a' });
    expect(await readdir(folder)).toEqual([]);
  });
});
