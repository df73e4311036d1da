import { existsSync, statSync } from 'node:fs';
import { readIdxFile } from '@lmd/data/node';
import { expect, it } from 'vitest';
import { clothesFile, readClothes } from '../scripts/clothes.mjs';

/** Of Debian's package. */
const folder = '/usr/share/datasets/fashion-mnist';

it('the clothes are 3,600 different images, as many of each class, in less than 1.5 MB', async () => {
  const { images, labels, shape } = await readClothes();
  expect(shape).toEqual([3600, 28, 28]);
  expect(statSync(clothesFile).size).toBeLessThan(1_500_000);
  for (let label = 0; label < 10; label++) expect(labels.filter((one) => one === label)).toHaveLength(360);
  const all = Array.from(labels, (_, index) => String(images.subarray(index * 784, (index + 1) * 784)));
  expect(new Set(all).size).toBe(3600);
});

it.skipIf(!existsSync(folder))('the clothes are the first of each class in Fashion-MNIST, without loss', async () => {
  const { images, labels } = await readClothes();
  const all = (await readIdxFile(`${folder}/train-images-idx3-ubyte.gz`)).data;
  const classes = (await readIdxFile(`${folder}/train-labels-idx1-ubyte.gz`)).data;
  const next = new Array<number>(10).fill(0);
  for (const [index, label] of labels.entries()) {
    while (classes[next[label]!] !== label) next[label]! += 1;
    const expected = all.subarray(next[label]! * 784, (next[label]! + 1) * 784);
    expect(images.subarray(index * 784, (index + 1) * 784)).toEqual(expected);
    next[label]! += 1;
  }
});
