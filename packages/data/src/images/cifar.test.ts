import { describe, expect, it } from 'vitest';
import { parseCifar10, parseCifar100 } from './cifar.js';

/** Records of a made-up file: labels, then planes of red 1, green 2 and blue 3 times the pixel. */
const file = (...labels: number[][]) =>
  Uint8Array.from(
    labels.flatMap((bytes) => [
      ...bytes,
      ...[1, 2, 3].flatMap((c) => Array.from({ length: 1024 }, (_, p) => (c * p) & 255)),
    ]),
  );

describe('CIFAR', () => {
  it('has planes, which become pixels', () => {
    const { images, labels } = parseCifar10(file([3], [9]));
    expect([...labels]).toEqual([3, 9]);
    expect(images.length).toBe(2 * 3072);
    expect([...images.slice(3072 + 15 * 3, 3072 + 16 * 3)]).toEqual([15, 30, 45]);
  });

  it('-100 has a coarse and a fine class', () => {
    const { labels, coarseLabels } = parseCifar100(file([19, 99], [0, 42]));
    expect([...coarseLabels]).toEqual([19, 0]);
    expect([...labels]).toEqual([99, 42]);
  });

  it.each([
    ['cut', () => parseCifar10(file([1]).subarray(1), 'x.bin')],
    ['empty', () => parseCifar10(new Uint8Array(0), 'x.bin')],
    ['of another class', () => parseCifar10(file([1], [10]), 'x.bin')],
    ['of another coarse class', () => parseCifar100(file([20, 1]), 'x.bin')],
    ['of the other data set', () => parseCifar10(file([1, 1]), 'x.bin')],
    ['shorter than it is to be', () => parseCifar10(file([1]), 'x.bin', 2)],
  ])('is refused where it is %s', (_, parse) => {
    expect(parse).toThrow(expect.objectContaining({ code: 'DATA_CORRUPT', subject: 'x.bin' }));
  });
});
