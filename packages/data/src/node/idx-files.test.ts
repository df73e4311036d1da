import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { isLmdError } from '@lmd/core';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../test/temporary-folder.js';
import { hasMnistFiles, readIdxFile, readMnistFolder } from './idx-files.js';

const images = (count: number) =>
  Uint8Array.from([0, 0, 8, 3, 0, 0, 0, count, 0, 0, 0, 2, 0, 0, 0, 2, ...new Array(count * 4).fill(255)]);
const labels = (...values: number[]) => Uint8Array.from([0, 0, 8, 1, 0, 0, 0, values.length, ...values]);

const rejection = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'it did not throw',
    (error) => error,
  );

async function mnistFolder(): Promise<string> {
  const folder = join(await temporaryFolder(), 'mnist');
  await mkdir(folder);
  await writeFile(join(folder, 'train-images-idx3-ubyte'), images(3));
  await writeFile(join(folder, 'train-labels-idx1-ubyte'), labels(9, 0, 4));
  await writeFile(join(folder, 't10k-images-idx3-ubyte.gz'), gzipSync(images(1)));
  await writeFile(join(folder, 't10k-labels.idx1-ubyte'), labels(7));
  return folder;
}

describe('readMnistFolder', () => {
  it('reads the four files under their usual names', async () => {
    const { train, test } = await readMnistFolder({ folder: await mnistFolder() });
    expect([train.size, test.size, train.inputShape, train.name]).toEqual([3, 1, [2, 2, 1], 'mnist/train']);
    const { inputs, labels: batchLabels } = await train.batch(Int32Array.of(2, 0));
    expect([...batchLabels.data]).toEqual([4, 9]);
    expect(inputs.data[0]).toBeCloseTo((1 - 0.1307) / 0.3081, 6);
  });

  it('refuses files without images, and says where there are some', async () => {
    const folder = await mnistFolder();
    expect(hasMnistFiles(folder)).toBe(true);
    expect(hasMnistFiles(join(folder, 'nowhere'))).toBe(false);
    await writeFile(join(folder, 'train-images-idx3-ubyte'), images(0));
    expect(isLmdError(await rejection(readMnistFolder({ folder })), 'DATA_CORRUPT')).toBe(true);
  });

  it('names the file that is missing, cut, not gzip, or does not fit', async () => {
    const folder = await mnistFolder();
    const failure = async (file: string, contents: Uint8Array) => {
      await writeFile(join(folder, file), contents);
      const error = await rejection(readMnistFolder({ folder }));
      expect(String(error)).toContain(join(folder, file));
      return isLmdError(error) ? error.code : error;
    };
    expect(await failure('train-labels-idx1-ubyte', labels(9, 0))).toBe('DATA_CORRUPT');
    expect(await failure('train-labels-idx1-ubyte', labels(9, 0, 4).subarray(0, 9))).toBe('DATA_CORRUPT');
    await writeFile(join(folder, 'train-labels-idx1-ubyte'), labels(9, 0, 4));
    expect(await failure('train-images-idx3-ubyte', labels(9, 0, 4))).toBe('DATA_CORRUPT');
    await writeFile(join(folder, 'train-images-idx3-ubyte'), images(3));
    expect(await failure('t10k-images-idx3-ubyte.gz', gzipSync(images(1)).subarray(0, 20))).toBe('DATA_CORRUPT');
    await rename(join(folder, 't10k-images-idx3-ubyte.gz'), join(folder, 'moved'));
    const missing = await rejection(readMnistFolder({ folder }));
    expect(isLmdError(missing, 'FILE_SYSTEM')).toBe(true);
    expect(String(missing)).toMatch(/t10k-images-idx3-ubyte \(ENOENT\)/);
  });

  it('names a label out of range', async () => {
    const folder = await mnistFolder();
    await writeFile(join(folder, 'train-labels-idx1-ubyte'), labels(9, 10, 4));
    const error = await rejection(readMnistFolder({ folder }));
    expect(isLmdError(error, 'DATA_CORRUPT')).toBe(true);
    expect(String(error)).toMatch(/"mnist\/train": the label of example 1 is 10/);
  });
});

describe('readIdxFile', () => {
  const array = Uint8Array.from([0, 0, 8, 1, 0, 0, 3, 32, ...new Array(800).fill(5)]);

  it('decompresses gzip by its first bytes, whatever the name', async () => {
    const path = join(await temporaryFolder(), 'labels');
    await writeFile(path, gzipSync(array));
    expect(await readIdxFile(path)).toEqual({ shape: [800], data: array.slice(8) });
  });

  it('stops decompressing where the header says that the file ends', async () => {
    const path = join(await temporaryFolder(), 'bomb.gz');
    const bomb = gzipSync(Buffer.concat([array, Buffer.alloc(30_000_000)]), { level: 1 });
    // The checksum at the end is wrong, which only shows to who decompresses all of it.
    bomb.fill(0x55, bomb.length - 8);
    await writeFile(path, bomb);
    const error = await rejection(readIdxFile(path));
    expect(isLmdError(error, 'DATA_CORRUPT')).toBe(true);
    expect(String(error)).toMatch(/bomb\.gz .*shape \[800\] takes 808 bytes/);
    const whole = gzipSync(array);
    await writeFile(path, whole.fill(0x55, whole.length - 8));
    expect(String(await rejection(readIdxFile(path)))).toMatch(/not a complete gzip file/);
  });

  it('refuses a header that says more than the file has, before it makes room', async () => {
    const path = join(await temporaryFolder(), 'claims');
    const claim = Uint8Array.from([0, 0, 14, 2, 255, 255, 255, 255, 255, 255, 255, 255, 1, 2]);
    for (const bytes of [claim, gzipSync(claim)]) {
      await writeFile(path, bytes);
      expect(isLmdError(await rejection(readIdxFile(path)), 'DATA_CORRUPT')).toBe(true);
    }
  });

  it('refuses a folder and a path that is none', async () => {
    const folder = await temporaryFolder();
    expect(await rejection(readIdxFile(folder))).toMatchObject({ subject: folder });
    expect(await rejection(readIdxFile('a\0b'))).toMatchObject({ code: 'INVALID_ARGUMENT' });
  });

  it('gives a missing folder as FILE_SYSTEM', async () => {
    const path = join(await temporaryFolder(), 'none', 'file');
    expect(isLmdError(await rejection(readIdxFile(path)), 'FILE_SYSTEM')).toBe(true);
  });
});
