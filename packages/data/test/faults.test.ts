import { mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { isLmdError, sizeOf } from '@lmd/core';
import { afterAll, describe, expect, it } from 'vitest';
import { parseCifar10, parseCifar100, parseIdx } from '../src/images/index.js';
import { imageDecoder, openImageFolder, readIdxFile } from '../src/node/index.js';
import { temporaryFolder } from './temporary-folder.js';

// Whatever a file holds, a reader gives something whole or an LmdError. `npm test` tries a few inputs of each kind,
// scripts/native-tests.mjs 10,000; both are the same from run to run.
const inputs = Number(process.env.LMD_FUZZ_FILES ?? 300);
const base = await temporaryFolder();

/**
 * A generator of numbers in [0, 1), by a linear congruence modulo 2³² (Numerical Recipes), of which the high bits are
 * good.
 */
function randomNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/**
 * Some damage of a file: bytes changed, taken out, put in, repeated, the end cut, or numbers at the extremes of their
 * range.
 */
function damaged(bytes: Uint8Array, random: () => number): Uint8Array {
  let result = Uint8Array.from(bytes);
  const at = () => Math.floor(random() * (random() < 0.5 ? Math.min(64, result.length) : result.length));
  for (let damage = Math.floor(random() * 4); damage >= 0; damage--) {
    const [from, length] = [at(), 1 + Math.floor(random() * 16)];
    const kind = random();
    if (kind < 0.4) result[from] = Math.floor(random() * 256);
    else if (kind < 0.55) result.fill(random() < 0.5 ? 255 : 0, from, from + Math.min(4, length));
    else if (kind < 0.7) result = result.slice(0, from);
    else if (kind < 0.8) result = Uint8Array.from([...result.subarray(0, from), ...result.subarray(from + length)]);
    else if (kind < 0.9) {
      const put = Array.from({ length }, () => Math.floor(random() * 256));
      result = Uint8Array.from([...result.subarray(0, from), ...put, ...result.subarray(from)]);
    } else result.copyWithin(at(), from, from + length);
  }
  return result;
}

const allowed = ['DATA_CORRUPT', 'INVALID_ARGUMENT', 'FILE_SYSTEM'];

/**
 * What `read` gives, or `undefined` where it refuses the input as it should. Any other error fails the test, naming the
 * input.
 */
async function attempt<T>(input: string, read: () => T | Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (isLmdError(error) && allowed.includes(error.code)) return undefined;
    throw new Error(`${input} gives ${(error as Error)?.stack ?? error}`);
  }
}

describe('damaged input', () => {
  const pictures = fileURLToPath(new URL('golden/pictures/', import.meta.url));
  const decoder = imageDecoder();
  afterAll(() => decoder.close());

  it('of pictures', { timeout: 600_000 }, async () => {
    const random = randomNumbers(1);
    const names = (await readdir(pictures)).filter((name) => !name.endsWith('.json'));
    const files = await Promise.all(names.map((name) => readFile(join(pictures, name))));
    const before = process.memoryUsage.rss();
    const outcomes = { decoded: 0, refused: 0 };
    const atOnce = 50;
    for (let first = 0; first < inputs; first += atOnce) {
      const tried = Array.from({ length: Math.min(atOnce, inputs - first) }, async (_, offset) => {
        const chosen = Math.floor(random() * names.length);
        const path = join(base, `picture-${offset}`);
        await writeFile(path, damaged(files[chosen]!, random));
        const image = await attempt(`input ${first + offset}, of ${names[chosen]},`, () => decoder.decode(path));
        outcomes[image === undefined ? 'refused' : 'decoded']++;
        if (image !== undefined) expect(image.data.length).toBe(image.width * image.height * 3);
      });
      await Promise.all(tried);
    }
    expect(outcomes.decoded).toBeGreaterThan(inputs / 20);
    expect(outcomes.refused).toBeGreaterThan(inputs / 20);
    expect(process.memoryUsage.rss() - before).toBeLessThan(1.5e9);
  });

  it('of IDX, in memory and in files, compressed or not', { timeout: 600_000 }, async () => {
    const random = randomNumbers(2);
    const types = [8, 9, 11, 12, 13, 14];
    for (let input = 0; input < inputs; input++) {
      const shape = Array.from({ length: 1 + Math.floor(random() * 3) }, () => Math.floor(random() * 5));
      const header = [0, 0, types[Math.floor(random() * 6)]!, shape.length, ...shape.flatMap((n) => [0, 0, 0, n])];
      const plain = Uint8Array.from([...header, ...new Array(sizeOf(shape) * 8).fill(7)]);
      const isCompressed = random() < 0.5;
      const bytes = isCompressed ? damaged(gzipSync(damaged(plain, random)), random) : damaged(plain, random);
      const path = join(base, 'file.idx');
      await writeFile(path, bytes);
      const inMemory = await attempt(`input ${input}`, () => parseIdx(bytes));
      const fromFile = await attempt(`input ${input}, as a file,`, () => readIdxFile(path));
      for (const array of [inMemory, fromFile]) if (array) expect(array.data.length).toBe(sizeOf(array.shape));
    }
  });

  it('of CIFAR', { timeout: 600_000 }, async () => {
    const random = randomNumbers(3);
    for (let input = 0; input < inputs; input++) {
      const labels = 1 + (input % 2);
      const length = (labels + 3072) * 2 + (random() < 0.2 ? Math.floor(random() * 5) - 2 : 0);
      const bytes = new Uint8Array(Math.max(0, length));
      for (let change = 0; change < 20; change++) bytes[Math.floor(random() * 2) * (labels + 3072)] = random() * 120;
      const parse = labels === 1 ? parseCifar10 : parseCifar100;
      const read = await attempt(`input ${input}`, () => parse(bytes));
      if (read !== undefined) expect([read.labels.length, read.images.length]).toEqual([2, 2 * 3072]);
    }
  });

  it('of folders of classes', { timeout: 600_000 }, async () => {
    const random = randomNumbers(4);
    const png = await readFile(join(pictures, 'rgb.png'));
    const names = ['a', 'b.png', 'c.jpg', '.hidden', '__MACOSX', 'd.txt', 'ü.PNG', 'e .gif', "f'$(x).png"];
    // Trees take longer than files.
    for (let input = 0; input < inputs / 20; input++) {
      const root = join(base, 'tree');
      await mkdir(root, { recursive: true });
      const folders = [root];
      for (let entry = 0; entry < 12; entry++) {
        const parent = folders[Math.floor(random() * folders.length)]!;
        const path = join(parent, names[Math.floor(random() * names.length)]!);
        const kind = random();
        const made =
          kind < 0.45
            ? mkdir(path).then(() => folders.push(path))
            : kind < 0.85
              ? writeFile(path, kind < 0.7 ? png : 'text', { flag: 'wx' })
              : symlink(kind < 0.92 ? folders[Math.floor(random() * folders.length)]! : join(root, 'nowhere'), path);
        await made.catch((error) => {
          if (error.code !== 'EEXIST' && error.code !== 'EPERM') throw error;
        });
      }
      const open = () => openImageFolder({ folder: root, decoder, undecodable: random() < 0.5 ? 'skip' : 'refuse' });
      const opened = await attempt(`tree ${input}`, open);
      if (opened !== undefined) {
        expect(opened.paths.length).toBe(opened.size);
        for (let index = 0; index < opened.size; index++) expect(opened.label(index)).toBeLessThan(opened.classes);
      }
      await rm(root, { recursive: true });
    }
  });
});
