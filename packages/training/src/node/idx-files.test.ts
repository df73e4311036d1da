import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { isLmdError } from '@lmd/core';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../test/temporary-folder.js';
import { readIdxFile, readMnistFolder } from './idx-files.js';

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
  it('decompresses no more than the header says', async () => {
    const path = join(await temporaryFolder(), 'bomb.gz');
    const header = Uint8Array.of(0, 0, 8, 1, 0, 0, 3, 32);
    await writeFile(path, gzipSync(Buffer.concat([header, Buffer.alloc(310_000_000 - header.length)])));
    const before = process.memoryUsage().arrayBuffers;
    const error = await rejection(readIdxFile(path));
    expect([isLmdError(error, 'DATA_CORRUPT'), String(error)]).toEqual([
      true,
      expect.stringMatching(/more than the 808 bytes/),
    ]);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(100_000_000);
    for (const [data, problem] of [
      [Buffer.concat([header, Buffer.alloc(801)]), /something follows its end/],
      [Buffer.concat([header, Buffer.alloc(799)]), /cut short/],
      [Uint8Array.of(0, 0, 8, 3, ...new Array(12).fill(255)), /cut short/],
      [Uint8Array.of(0, 0, 8, 3, 1), /ends within its header/],
      [new Uint8Array(0), /the magic number alone takes 4/],
    ] as const) {
      await writeFile(path, gzipSync(data));
      expect(String(await rejection(readIdxFile(path)))).toMatch(problem);
    }
    await writeFile(path, gzipSync(Buffer.concat([header, Buffer.alloc(800, 7)])));
    expect((await readIdxFile(path)).data).toEqual(new Uint8Array(800).fill(7));
  });

  it('gives a missing folder as FILE_SYSTEM', async () => {
    const path = join(await temporaryFolder(), 'none', 'file');
    expect(isLmdError(await rejection(readIdxFile(path)), 'FILE_SYSTEM')).toBe(true);
  });
});
