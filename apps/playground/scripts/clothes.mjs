// node scripts/clothes.mjs FOLDER: writes clothes/fashion-mnist.webp from the IDX files of Fashion-MNIST in FOLDER, by
// default those of Debian's package dataset-fashion-mnist. No npm package has these images, so this file is committed:
// the first 360 training images of each class, without loss, in a row for each class.
import { fileURLToPath, pathToFileURL } from 'node:url';
import { readIdxFile } from '@lmd/data/node';
import sharp from 'sharp';

export const clothesFile = fileURLToPath(new URL('../clothes/fashion-mnist.webp', import.meta.url));
const classes = 10;
const each = 360;
const side = 28;

/** Copies an image into the picture of all, or out of it. */
function copyImage(image, picture, label, column, isOut) {
  for (let row = 0; row < side; row++) {
    const start = (label * side + row) * each * side + column * side;
    const inPicture = picture.subarray(start, start + side);
    const inImage = image.subarray(row * side, (row + 1) * side);
    if (isOut) inImage.set(inPicture);
    else inPicture.set(inImage);
  }
}

/** The images and labels in the committed file, one of each class in turn. */
export async function readClothes() {
  const picture = await sharp(clothesFile).extractChannel(0).raw().toBuffer();
  const count = classes * each;
  const images = new Uint8Array(count * side * side);
  const labels = Uint8Array.from({ length: count }, (_, index) => index % classes);
  for (const [index, label] of labels.entries()) {
    const image = images.subarray(index * side * side, (index + 1) * side * side);
    copyImage(image, picture, label, Math.floor(index / classes), true);
  }
  return { images, labels, shape: [count, side, side] };
}

async function writeClothes(folder = '/usr/share/datasets/fashion-mnist') {
  const images = (await readIdxFile(`${folder}/train-images-idx3-ubyte.gz`)).data;
  const labels = (await readIdxFile(`${folder}/train-labels-idx1-ubyte.gz`)).data;
  const picture = new Uint8Array(classes * each * side * side);
  const found = new Array(classes).fill(0);
  for (const [index, label] of labels.entries()) {
    if (found[label] === each) continue;
    copyImage(images.subarray(index * side * side, (index + 1) * side * side), picture, label, found[label], false);
    found[label] += 1;
  }
  const raw = { width: each * side, height: classes * side, channels: 1 };
  await sharp(picture, { raw }).webp({ lossless: true, effort: 6 }).toFile(clothesFile);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await writeClothes(process.argv[2]);
