import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Pixels } from './image.js';
import * as operations from './pixel-operations.js';
import { type Interpolation, resize } from './resize.js';

// What Pillow makes of one image; see dev/golden/images.
interface Golden {
  readonly size: readonly [number, number];
  readonly data: string;
}
const golden: {
  readonly image: Golden;
  readonly operations: { readonly [name: string]: Golden };
  readonly resized: readonly (Golden & {
    readonly interpolation: Interpolation;
    readonly region: readonly [number, number, number, number];
  })[];
} = JSON.parse(readFileSync(new URL('../../test/golden/pillow.json', import.meta.url), 'utf8'));

const bytesOf = ({ data }: Golden) => new Uint8Array(Buffer.from(data, 'base64'));
const image: Pixels = {
  width: golden.image.size[0],
  height: golden.image.size[1],
  channels: 3,
  data: bytesOf(golden.image),
};
const run: { readonly [name: string]: (argument: number) => Pixels } = {
  autoContrast: () => operations.autoContrast(image),
  equalize: () => operations.equalize(image),
  solarize: (threshold) => operations.solarize(image, threshold),
  posterize: (bits) => operations.posterize(image, bits),
  brightness: (factor) => operations.brightness(image, factor),
  contrast: (factor) => operations.contrast(image, factor),
  saturation: (factor) => operations.saturation(image, factor),
  sharpness: (factor) => operations.sharpness(image, factor),
  rotate: (degrees) => operations.rotate(image, degrees),
  shearX: (factor) => operations.affine(image, [1, factor, 0, 0, 1, 0]),
  shearY: (factor) => operations.affine(image, [1, 0, 0, factor, 1, 0]),
  translateX: (distance) => operations.affine(image, [1, 0, distance, 0, 1, 0]),
  translateY: (distance) => operations.affine(image, [1, 0, 0, 0, 1, distance]),
};

describe('the operations of RandAugment', () => {
  it.each(Object.entries(golden.operations))('%s is Pillow’s to the level', (name, expected) => {
    const [operation, argument] = name.split(' ') as [string, string?];
    const before = image.data.slice();
    const result = run[operation]!(Number(argument));
    expect(image.data).toEqual(before);
    expect(result).toMatchObject({ width: image.width, height: image.height, channels: 3 });
    expect(result.data).toEqual(bytesOf(expected));
  });
});

describe('resize', () => {
  const cases = (interpolation: Interpolation) =>
    golden.resized.filter((entry) => entry.interpolation === interpolation);
  const resized = ({ region, size, interpolation }: (typeof golden.resized)[number]) => {
    const [left, top, width, height] = region;
    const result = resize(image, { left, top, width, height }, size[1], size[0], interpolation);
    expect([result.width, result.height]).toEqual(size);
    return result.data;
  };

  it.each(cases('bilinear'))('bilinear of $region to $size is Pillow’s to within a level', (expected) => {
    const data = resized(expected);
    const bytes = bytesOf(expected);
    expect(data.length).toBe(bytes.length);
    data.forEach((value, index) => {
      expect(Math.abs(value - bytes[index]!)).toBeLessThanOrEqual(1);
    });
  });

  it.each(cases('bicubic'))('bicubic of $region to $size is exactly Pillow’s', (expected) => {
    expect(resized(expected)).toEqual(bytesOf(expected));
  });

  it('to the same size is the region itself', () => {
    const whole = resize(image, { left: 0, top: 0, width: 17, height: 13 }, 13, 17);
    expect(whole.data).toEqual(image.data);
    const part = resize(image, { left: 3, top: 2, width: 2, height: 2 }, 2, 2);
    expect([...part.data.subarray(0, 3)]).toEqual([...image.data.subarray((2 * 17 + 3) * 3, (2 * 17 + 4) * 3)]);
    expect([...part.data.subarray(9, 12)]).toEqual([...image.data.subarray((3 * 17 + 4) * 3, (3 * 17 + 5) * 3)]);
  });
});
