import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { rejection, temporaryFolder } from '../../test/temporary-folder.js';
import { transformImages } from '../images/index.js';
import { imageDecoder, openImageFolder } from './index.js';

const golden = fileURLToPath(new URL('../../test/golden/', import.meta.url));
const decoded: Record<string, { readonly size: readonly [number, number]; readonly data: string }> = JSON.parse(
  await readFile(join(golden, 'decoded.json'), 'utf8'),
);
const decoder = imageDecoder(2);
afterAll(() => decoder.close());
const base = await temporaryFolder();

describe('imageDecoder', () => {
  it.each(Object.entries(decoded))('decodes %s as Pillow does', async (name, expected) => {
    const image = await decoder.decode(join(golden, name));
    expect([image.width, image.height, image.channels]).toEqual([...expected.size, 3]);
    const bytes = Buffer.from(expected.data, 'base64');
    expect(image.data.length).toBe(bytes.length);
    // PNG is exact; the inverse cosine transforms of two JPEG decoders round apart, and colours a little more.
    const tolerance = name.endsWith('.png') ? 0 : 3;
    image.data.forEach((value, index) => {
      expect(Math.abs(value - bytes[index]!)).toBeLessThanOrEqual(tolerance);
    });
  });

  it('decodes many at once, each its own', async () => {
    const names = Array.from({ length: 60 }, (_, index) => ['rgb.png', 'grey.png', 'rgb.jpg'][index % 3]!);
    const images = await Promise.all(names.map((name) => decoder.decode(join(golden, name))));
    const alone = new Map(
      await Promise.all(
        [...new Set(names)].map(async (name) => [name, await decoder.decode(join(golden, name))] as const),
      ),
    );
    images.forEach((image, index) => {
      expect(image).toEqual(alone.get(names[index]!));
    });
  });

  it('names a file that does not decode, wherever it is cut, and goes on with the next', async () => {
    for (const name of ['rgb.png', 'rgb.jpg', 'progressive.jpg']) {
      const whole = await readFile(join(golden, name));
      const path = join(base, `cut-${name}`);
      for (let length = 0; length < whole.length - 12; length += 41) {
        await writeFile(path, whole.subarray(0, length));
        expect(await rejection(decoder.decode(path)), `${name} cut at ${length}`).toMatchObject({
          code: 'DATA_CORRUPT',
          subject: path,
          message: expect.stringContaining(path),
        });
      }
    }
    expect((await decoder.decode(join(golden, 'rgb.png'))).width).toBe(17);
  });

  it('refuses more pixels than memory should hold, before it makes room for them', async () => {
    const bomb = await readFile(join(golden, 'rgb.png'));
    bomb.writeUInt32BE(60_000, 16);
    bomb.writeUInt32BE(60_000, 20);
    await writeFile(join(base, 'bomb.png'), bomb);
    expect(await rejection(decoder.decode(join(base, 'bomb.png')))).toMatchObject({
      code: 'DATA_CORRUPT',
      message: expect.stringContaining('60000 × 60000'),
    });
  });

  it('tells a missing file from a damaged one', async () => {
    expect(await rejection(decoder.decode(join(base, 'none.png')))).toMatchObject({
      code: 'FILE_SYSTEM',
      value: 'ENOENT',
    });
  });

  it('decodes many more than it hands over at once, each to whoever asked for it', async () => {
    const files = ['rgb.jpg', 'rgb.png', 'grey.png'];
    const asked = Array.from({ length: 150 }, (_, i) => join(golden, files[i % 3]!));
    asked[70] = join(base, 'nothing.png');
    const answers = await Promise.allSettled(asked.map((path) => decoder.decode(path)));
    const alone = await Promise.all(files.map((name) => decoder.decode(join(golden, name))));
    for (const [i, answer] of answers.entries()) {
      if (i === 70) expect(answer.status).toBe('rejected');
      else expect(answer).toEqual({ status: 'fulfilled', value: alone[i % 3] });
    }
  });

  it('rejects what it has not decoded when it is closed', async () => {
    const short = imageDecoder(1);
    const waiting = Promise.allSettled([1, 2, 3].map(() => short.decode(join(golden, 'rgb.jpg'))));
    await short.close();
    await short.close();
    expect((await waiting).map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
    expect(await rejection(short.decode(join(golden, 'rgb.jpg')))).toMatchObject({ code: 'INVALID_ARGUMENT' });
  });
});

describe('openImageFolder', () => {
  const folder = join(base, 'pets');
  const place = async (name: string, ...to: string[]) => {
    await mkdir(join(folder, ...to.slice(0, -1)), { recursive: true });
    await copyFile(join(golden, name), join(folder, ...to));
  };

  it('finds images by class, in an order of their names, and makes a data set of them', async () => {
    await place('rgb.jpg', 'dog', 'b.JPEG');
    await place('rgb.png', 'dog', 'a', 'z.png');
    await place('grey.png', 'cat', 'one.png');
    await writeFile(join(folder, 'dog', 'notes.txt'), 'no image');
    await writeFile(join(folder, 'README.md'), 'no class');
    const pets = await openImageFolder({ folder, threads: 1 });
    try {
      expect(pets).toMatchObject({ name: 'pets', size: 3, classes: 2, classNames: ['cat', 'dog'], skipped: [] });
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
    const strict = await openImageFolder({ folder, threads: 1 });
    expect(strict.size).toBe(4);
    const dataset = transformImages(strict, { height: 8, width: 8 });
    const all = Int32Array.of(0, 1, 2, 3);
    expect(await rejection(Promise.resolve(dataset.batch(all)))).toMatchObject({
      code: 'DATA_CORRUPT',
      subject: broken,
    });
    await strict.close();
    const seen: number[] = [];
    const lenient = await openImageFolder({
      folder,
      undecodable: 'skip',
      threads: 1,
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
      message: expect.stringContaining('no image that decodes'),
    });
  });
});
