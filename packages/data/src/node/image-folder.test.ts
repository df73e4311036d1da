import { copyFile, mkdir, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { rejection, temporaryFolder } from '../../test/temporary-folder.js';
import { transformImages } from '../images/index.js';
import { classFolders, type ImageDecoder, openImageFolder } from './index.js';

const pictures = fileURLToPath(new URL('../../test/golden/pictures/', import.meta.url));
const base = await temporaryFolder();

describe('openImageFolder', () => {
  const folder = join(base, 'pets');
  const place = async (name: string, ...to: string[]) => {
    await mkdir(join(folder, ...to.slice(0, -1)), { recursive: true });
    await copyFile(join(pictures, name), join(folder, ...to));
  };

  it('decodes in the orientation of the preprocessing, and refuses another', async () => {
    const preprocessing = { height: 8, width: 8, orientation: 'stored' } as const;
    await place('turned-3.jpg', 'turned', 'one.jpg');
    const images = await openImageFolder({ folder, classNames: ['turned'], preprocessing });
    const upright = await openImageFolder({ folder, classNames: ['turned'] });
    try {
      expect([images.orientation, upright.orientation]).toEqual(['stored', 'exif']);
      expect(await images.image(0)).not.toEqual(await upright.image(0));
    } finally {
      await Promise.all([images.close(), upright.close()]);
      await rm(join(folder, 'turned'), { recursive: true });
    }
    const refused = await rejection(openImageFolder({ folder, preprocessing, orientation: 'exif' }));
    expect(refused).toMatchObject({ code: 'INVALID_ARGUMENT', subject: 'orientation', value: 'exif' });
    expect(String(refused)).toMatch(/openImageFolder: .*orientation is "exif"/);
  });

  it('finds images by class, in an order of their names, and makes a data set of them', async () => {
    await place('444.jpg', 'dog', 'b.JPEG');
    await place('rgb.png', 'dog', 'a', 'z.png');
    await place('grey.png', 'cat', 'one.png');
    await writeFile(join(folder, 'dog', 'notes.txt'), 'no image');
    await writeFile(join(folder, 'README.md'), 'no class');
    const pets = await openImageFolder({ folder });
    try {
      expect(pets).toMatchObject({ name: 'pets', size: 3, classes: 2, classNames: ['cat', 'dog'], skipped: [] });
      expect(pets.unused).toEqual([join(folder, 'README.md'), join(folder, 'dog', 'notes.txt')]);
      expect(pets.paths.map((path) => path.slice(folder.length).replaceAll('\\', '/'))).toEqual([
        '/cat/one.png',
        '/dog/a/z.png',
        '/dog/b.JPEG',
      ]);
      const dataset = transformImages(pets, { height: 8, width: 8, augmentation: { flip: 0.5, mixup: 0.2 } });
      const { inputs, labels } = await dataset.batch(Int32Array.of(2, 0), { seed: 1, epoch: 0 });
      expect(inputs.shape).toEqual([2, 8, 8, 3]);
      expect([...labels.data]).toEqual([1, 0]);
      const chosen = await openImageFolder({ folder, classNames: ['dog'], name: 'dogs' });
      expect(chosen).toMatchObject({ name: 'dogs', size: 2, classes: 1 });
      await chosen.close();
    } finally {
      await pets.close();
    }
  });

  it('names an image that does not decode, and skips it only if asked, by name and count', async () => {
    await place('rgb.png', 'dog', 'broken.png');
    const broken = join(folder, 'dog', 'broken.png');
    await writeFile(broken, (await readFile(broken)).subarray(0, 300));
    const strict = await openImageFolder({ folder });
    expect(strict.size).toBe(4);
    const dataset = transformImages(strict, { height: 8, width: 8 });
    const all = Int32Array.of(0, 1, 2, 3);
    expect(await rejection(Promise.resolve(dataset.batch(all)))).toMatchObject({
      code: 'DATA_CORRUPT',
      subject: broken,
      message: expect.stringContaining('leave out such images with undecodable=skip'),
    });
    await strict.close();
    const seen: number[] = [];
    const lenient = await openImageFolder({
      folder,
      undecodable: 'skip',
      onProgress: ({ checked, skipped }) => seen.push(checked * 10 + skipped),
    });
    expect(lenient.size).toBe(3);
    expect(lenient.skipped.map(({ path }) => path)).toEqual([broken]);
    expect(lenient.skipped[0]!.reason).not.toBe('');
    expect(seen.at(-1)).toBe(41);
    expect((await transformImages(lenient, { height: 8, width: 8 }).batch(Int32Array.of(0, 1, 2))).labels.data).toEqual(
      Int32Array.of(0, 1, 1),
    );
    await lenient.close();
  });

  it('refuses a folder without classes, a class without images, and options that it does not know', async () => {
    await mkdir(join(base, 'bare', 'class'), { recursive: true });
    expect(await rejection(openImageFolder({ folder: join(base, 'bare', 'class') }))).toMatchObject({
      code: 'DATA_CORRUPT',
    });
    expect(await rejection(openImageFolder({ folder: join(base, 'bare') }))).toMatchObject({
      code: 'DATA_CORRUPT',
      subject: join(base, 'bare', 'class'),
    });
    expect(await rejection(openImageFolder({ folder, classNames: ['fish'] }))).toMatchObject({ code: 'FILE_SYSTEM' });
    expect(await rejection(openImageFolder({ folder, undecodable: 'ignore' as never }))).toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
    expect(await rejection(openImageFolder({ folder, workers: 3 } as never))).toMatchObject({ code: 'UNKNOWN_OPTION' });
    await writeFile(join(base, 'bare', 'class', 'x.png'), 'rubbish');
    expect(await rejection(openImageFolder({ folder: join(base, 'bare'), undecodable: 'skip' }))).toMatchObject({
      code: 'DATA_CORRUPT',
      message: expect.stringContaining('no image that can be decoded'),
    });
  });

  it('follows links to folders, leaves out what programs leave, and reads every format by its extension', async () => {
    const zoo = join(base, 'zoo');
    await mkdir(join(zoo, 'cat'), { recursive: true });
    await mkdir(join(base, 'elsewhere', 'inner'), { recursive: true });
    const names = ['444.jpg', 'rgb.png', 'lossy.webp', 'rgb.gif', 'rgb.avif', 'raw.tif', 'deflate.tiff'];
    for (const name of names) await copyFile(join(pictures, name), join(zoo, 'cat', name.toUpperCase()));
    await copyFile(join(pictures, 'rgb.png'), join(base, 'elsewhere', 'inner', 'one.png'));
    await symlink(join(base, 'elsewhere'), join(zoo, 'dog'), 'junction');
    for (const hidden of ['.ipynb_checkpoints', '__MACOSX']) {
      await mkdir(join(zoo, hidden));
      await mkdir(join(zoo, 'cat', hidden));
      await copyFile(join(pictures, 'rgb.png'), join(zoo, 'cat', hidden, 'copy.png'));
    }
    for (const name of ['Thumbs.db', '.DS_Store', '._444.jpg']) await writeFile(join(zoo, 'cat', name), 'hidden');
    await writeFile(join(zoo, 'cat', 'scan.bmp'), 'BM');
    expect(classFolders(zoo)).toEqual(['cat', 'dog']);
    const opened = await openImageFolder({ folder: zoo, undecodable: 'skip' });
    expect(opened).toMatchObject({ size: 8, classNames: ['cat', 'dog'], skipped: [] });
    expect(opened.unused).toEqual([join(zoo, 'cat', 'scan.bmp')]);
    await opened.close();
    await symlink(join(base, 'elsewhere'), join(base, 'elsewhere', 'inner', 'loop'), 'junction');
    expect(await rejection(openImageFolder({ folder: zoo }))).toMatchObject({
      code: 'DATA_CORRUPT',
      message: expect.stringContaining('links to a folder that contains it'),
    });
  });

  it('has a fingerprint of names, labels and contents, wherever the folder lies', async () => {
    const print = async (name: string, files: Record<string, string>) => {
      for (const [path, picture] of Object.entries(files)) {
        await mkdir(join(base, name, path, '..'), { recursive: true });
        await copyFile(join(pictures, picture), join(base, name, path));
      }
      const opened = await openImageFolder({ folder: join(base, name) });
      await opened.close();
      expect(transformImages(opened, { height: 4, width: 4 }).fingerprint).toBe(opened.fingerprint);
      return opened.fingerprint;
    };
    const first = await print('print-1', { 'a/1.png': 'rgb.png', 'b/1.png': 'grey.png' });
    expect(await print('print-2', { 'a/1.png': 'rgb.png', 'b/1.png': 'grey.png' })).toBe(first);
    const others = [
      await print('print-3', { 'a/1.png': 'grey.png', 'b/1.png': 'grey.png' }),
      await print('print-4', { 'a/2.png': 'rgb.png', 'b/1.png': 'grey.png' }),
      await print('print-5', { 'a/1.png': 'rgb.png', 'c/1.png': 'grey.png' }),
    ];
    expect(new Set([first, ...others]).size).toBe(4);
  });

  it('sees another picture of the same length under the same name, in the first 64 MiB', async () => {
    const decoder: ImageDecoder = { extensions: ['.raw'], decode: async () => ({}) as never, close: async () => {} };
    const print = async () => {
      const opened = await openImageFolder({ folder: join(base, 'lengths'), decoder });
      return opened.fingerprint;
    };
    const path = (name: string) => join(base, 'lengths', 'class', name);
    await mkdir(join(base, 'lengths', 'class'), { recursive: true });
    await writeFile(path('a.raw'), 'abcd');
    await writeFile(path('b.raw'), '');
    await truncate(path('b.raw'), 64 * 2 ** 20 - 4);
    await writeFile(path('c.raw'), 'abcd');
    const first = await print();
    expect(await print()).toBe(first);
    await writeFile(path('c.raw'), 'abce');
    expect(await print()).toBe(first);
    await writeFile(path('a.raw'), 'abce');
    expect(await print()).not.toBe(first);
  });

  it('reads what another decoder reads, and leaves it open for whoever made it', async () => {
    let closed = 0;
    const decoder: ImageDecoder = {
      extensions: ['.rgb'],
      decode: async (path) => ({ width: 1, height: 1, channels: 3, data: new Uint8Array(await readFile(path)) }),
      async close() {
        closed++;
      },
    };
    await mkdir(join(base, 'own', 'class'), { recursive: true });
    await writeFile(join(base, 'own', 'class', '1.RGB'), Uint8Array.of(0, 128, 255));
    await writeFile(join(base, 'own', 'class', '2.rgb'), Uint8Array.of(0, 128));
    await copyFile(join(pictures, 'rgb.png'), join(base, 'own', 'class', '3.png'));
    const own = await openImageFolder({ folder: join(base, 'own'), decoder });
    expect([own.size, own.unused.length]).toEqual([2, 1]);
    const dataset = transformImages(own, { height: 1, width: 1 });
    expect((await dataset.batch(Int32Array.of(0))).inputs.data[2]).toBe(1);
    // What it gives is checked.
    expect(await rejection(Promise.resolve(dataset.batch(Int32Array.of(1))))).toMatchObject({ code: 'DATA_CORRUPT' });
    await own.close();
    expect(closed).toBe(0);
    for (const wrong of [
      {},
      { extensions: [], decode: decoder.decode },
      { extensions: ['RGB'], decode: decoder.decode },
    ]) {
      expect(await rejection(openImageFolder({ folder, decoder: wrong as never }))).toMatchObject({
        code: 'INVALID_ARGUMENT',
        message: expect.stringContaining('decoder'),
      });
    }
  });

  it('refuses names of classes that are none, twice the same, and paths that are none', async () => {
    for (const classNames of [[], ['dog', 'dog'], ['dog', 7], 'dog']) {
      const failure = rejection(openImageFolder({ folder, classNames: classNames as never }));
      expect(await failure).toMatchObject({ code: 'INVALID_ARGUMENT', message: expect.stringContaining('classNames') });
    }
    for (const options of [undefined, null, 'folder', { folder: 7 }, { folder: 'a\0b' }, {}]) {
      expect(await rejection(openImageFolder(options as never))).toMatchObject({ code: 'INVALID_ARGUMENT' });
    }
  });
});
