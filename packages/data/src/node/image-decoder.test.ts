import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { rejection, temporaryFolder } from '../../test/temporary-folder.js';
import { decodeImage, imageDecoder, listImages } from './index.js';

const pictures = fileURLToPath(new URL('../../test/golden/pictures/', import.meta.url));
type Expected = { readonly size: readonly [number, number]; readonly data: string };
const golden: Record<string, Expected | { readonly refused: string }> = JSON.parse(
  await readFile(join(pictures, 'expected.json'), 'utf8'),
);
const decoder = imageDecoder(2);
afterAll(() => decoder.close());
const base = await temporaryFolder();

/** Where Pillow's decoder is another one than ours: largest difference of a value, and mean difference. */
const tolerances: Record<string, readonly [number, number]> = {
  'rgb.avif': [1, 0.2],
  'alpha.avif': [1, 0.2],
  'turned-6.avif': [1, 0.2],
  // libavif enlarges chroma with interpolation, libheif without.
  '420.avif': [18, 4.5],
};

describe('imageDecoder', () => {
  const decoded = Object.entries(golden).filter((entry): entry is [string, Expected] => 'data' in entry[1]);
  const refused = Object.entries(golden).flatMap(([name, one]) => ('refused' in one ? [[name, one.refused]] : []));

  it.each(decoded)('decodes %s as Pillow does', async (name, { size, data }) => {
    const image = await decoder.decode(join(pictures, name));
    expect([image.width, image.height, image.channels]).toEqual([...size, 3]);
    const expected = Buffer.from(data, 'base64');
    expect(image.data.length).toBe(expected.length);
    const differences = Array.from(image.data, (value, index) => Math.abs(value - expected[index]!));
    const [largest, mean] = tolerances[name] ?? [0, 0];
    expect(Math.max(...differences)).toBeLessThanOrEqual(largest);
    expect(differences.reduce((sum, one) => sum + one, 0) / differences.length).toBeLessThanOrEqual(mean);
  });

  it('decodes bytes as the file that has them, and names them in errors', async () => {
    const name = join(pictures, 'turned-6.jpg');
    const bytes = await readFile(name);
    expect(await decodeImage(bytes)).toEqual(await decoder.decode(name));
    const upright = await decoder.decode(join(pictures, '444.jpg'));
    expect(await decodeImage(bytes, { orientation: 'stored' })).toEqual(upright);
    await expect(decodeImage(bytes.subarray(0, 40), { name: 'upload' })).rejects.toThrow(/^upload cannot be decoded/);
    await expect(decodeImage(new Uint8Array(0))).rejects.toThrow(/^The image cannot be decoded: it is empty/);
  });

  it('keeps the stored pixels of a turned image if asked', async () => {
    const stored = imageDecoder(2, 'stored');
    const upright = await decoder.decode(join(pictures, '444.jpg'));
    for (const name of ['turned-3.jpg', 'turned-6.jpg', 'turned-8.jpg']) {
      expect(await stored.decode(join(pictures, name))).toEqual(upright);
      expect(await decoder.decode(join(pictures, name))).not.toEqual(upright);
    }
    await stored.close();
    expect(() => imageDecoder(2, 'upright' as 'exif')).toThrow(/orientation is "upright"/);
    const preprocessing = { height: 4, width: 4, orientation: 'stored' } as const;
    expect(() => imageDecoder(2, 'exif', preprocessing)).toThrow(/orientation is "exif".*Use "stored" as preproc/);
    const turned = await readFile(join(pictures, 'turned-3.jpg'));
    expect(await decodeImage(turned, { preprocessing })).toEqual(upright);
    await expect(decodeImage(turned, { preprocessing, orientation: 'exif' })).rejects.toThrow(/Use "stored"/);
  });

  it.each(refused)('refuses %s, naming %s', async (name, word) => {
    expect(await rejection(decoder.decode(join(pictures, name!)))).toMatchObject({
      code: 'DATA_CORRUPT',
      subject: join(pictures, name!),
      message: expect.stringContaining(word!),
    });
  });

  it('decodes many at once, more than it hands over, each to whoever asked for it', async () => {
    const names = ['444.jpg', 'rgb.png', 'grey.png', 'lossless.webp'];
    const asked = Array.from({ length: 200 }, (_, i) => join(pictures, names[i % names.length]!));
    asked[70] = join(base, 'nothing.png');
    const answers = await Promise.allSettled(asked.map((path) => decoder.decode(path)));
    const alone = await Promise.all(names.map((name) => decoder.decode(join(pictures, name))));
    for (const [i, answer] of answers.entries()) {
      if (i === 70) expect(answer.status).toBe('rejected');
      else expect(answer).toEqual({ status: 'fulfilled', value: alone[i % names.length] });
    }
  });

  it('refuses a file that is cut, wherever it is cut, or gives the pixels of the whole', async () => {
    const names = ['rgb.png', '444.jpg', 'progressive.jpg', 'rgb.gif', 'lossy.webp', 'rgb.avif', 'lzw.tif'];
    for (const name of names) {
      const whole = await readFile(join(pictures, name));
      const image = await decoder.decode(join(pictures, name));
      const path = join(base, `cut-${name}`);
      let refusals = 0;
      const lengths = [...Array.from({ length: Math.ceil(whole.length / 37) }, (_, i) => 37 * i), whole.length - 1];
      for (const length of lengths) {
        await writeFile(path, whole.subarray(0, length));
        const result = await decoder.decode(path).catch((error) => error);
        if (result instanceof Error) {
          refusals++;
          expect(result, `${name} cut at ${length}`).toMatchObject({
            code: 'DATA_CORRUPT',
            subject: path,
            message: expect.stringContaining(path),
          });
        } else {
          expect(result, `${name} cut at ${length}`).toEqual(image);
        }
      }
      expect(refusals, name).toBeGreaterThan(lengths.length - 4);
    }
  });

  it('sees that a file has changed under its name, also where it must be turned', async () => {
    const path = join(base, 'changing');
    for (const name of ['turned-6.jpg', 'turned-3.jpg', 'rgb.png', 'turned-6.png', 'lzw.tif', 'cmyk-adobe.jpg']) {
      await copyFile(join(pictures, name), path);
      expect(await decoder.decode(path), name).toEqual(await decoder.decode(join(pictures, name)));
    }
  });

  it('refuses more pixels than there may be, or than a file of its length can have, with little memory', async () => {
    // A second header, after the size was checked, claims 30,000 × 30,000.
    const secondHeader =
      'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADUlIRFIAAHUwAAB1MAgCAAAA6UVv7QAAAAxJREFUeJxjYGBgAAAABAAB9hc4VQAAAABJRU5ErkJggg==';
    await writeFile(join(base, 'second.png'), Buffer.from(secondHeader, 'base64'));
    const claiming = async (name: string, side: number, at: number) => {
      const bytes = await readFile(join(pictures, name));
      if (name.endsWith('.png')) {
        bytes.writeUInt32BE(side, at);
        bytes.writeUInt32BE(side, at + 4);
      } else {
        bytes.writeUInt16BE(side, at);
        bytes.writeUInt16BE(side, at + 2);
      }
      await writeFile(join(base, `${side}-${name}`), bytes);
      return join(base, `${side}-${name}`);
    };
    const frame = (await readFile(join(pictures, '444.jpg'))).indexOf(Buffer.from([0xff, 0xc0])) + 5;
    const before = process.memoryUsage.rss();
    for (const path of [
      join(base, 'second.png'),
      await claiming('rgb.png', 60_000, 16),
      await claiming('rgb.png', 9_000, 16),
      await claiming('444.jpg', 60_000, frame),
      await claiming('444.jpg', 9_000, frame),
    ]) {
      const failure = rejection(decoder.decode(path));
      expect(await failure, path).toMatchObject({ code: 'DATA_CORRUPT', subject: path });
      const side = /(\d+)-/.exec(path)?.[1];
      if (side !== undefined && path.endsWith('.jpg'))
        expect(String(await failure)).toContain(`${side} × ${side} pixels`);
    }
    expect(process.memoryUsage.rss() - before).toBeLessThan(200e6);
  });

  it('tells a missing file, a folder and an impossible path from a damaged file', async () => {
    expect(await rejection(decoder.decode(join(base, 'none.png')))).toMatchObject({
      code: 'FILE_SYSTEM',
      value: 'ENOENT',
    });
    expect(await rejection(decoder.decode(base))).toMatchObject({ code: 'FILE_SYSTEM' });
    expect(await rejection(decoder.decode('a\0b.png'))).toMatchObject({ code: 'INVALID_ARGUMENT' });
    expect(await rejection(decoder.decode(7 as never))).toMatchObject({ code: 'INVALID_ARGUMENT' });
    await writeFile(join(base, 'empty.png'), '');
    expect(await rejection(decoder.decode(join(base, 'empty.png')))).toMatchObject({
      code: 'DATA_CORRUPT',
      message: expect.stringContaining('empty'),
    });
  });

  it('rejects what it has not decoded when it is closed', async () => {
    const short = imageDecoder(1);
    const waiting = Promise.allSettled([1, 2, 3].map(() => short.decode(join(pictures, '444.jpg'))));
    await short.close();
    await short.close();
    expect((await waiting).map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
    expect(await rejection(short.decode(join(pictures, '444.jpg')))).toMatchObject({ code: 'INVALID_ARGUMENT' });
  });

  it('refuses a concurrency that is no positive integer', () => {
    expect(() => imageDecoder(0)).toThrow(/concurrency is 0/);
  });
});

describe('listImages', () => {
  it('finds images in subfolders, in order, and lists other files', async () => {
    const folder = join(base, 'listed');
    await mkdir(join(folder, 'b'), { recursive: true });
    for (const name of ['b/2.PNG', 'b/1.jpg', 'a.webp', 'notes.txt', '.hidden.png']) {
      await writeFile(join(folder, name), '');
    }
    const { images, unused } = await listImages(folder);
    expect(images).toEqual(['a.webp', 'b/1.jpg', 'b/2.PNG'].map((name) => join(folder, name)));
    expect(unused).toEqual([join(folder, 'notes.txt')]);
    expect(await rejection(listImages(join(base, 'nowhere')))).toMatchObject({ code: 'FILE_SYSTEM' });
  });
});
