import sharp, { type JpegOptions, type Sharp } from 'sharp';
import { describe, expect, it } from 'vitest';
import { jpegFrame } from './jpeg-frame.js';

const create = { width: 20, height: 10, channels: 3, background: { r: 200, g: 90, b: 30 } } as const;
const frame = { precision: 8, width: 20, height: 10, isLossless: false };
const jpeg = (change: (image: Sharp) => Sharp = (image) => image, options: JpegOptions = {}) =>
  change(sharp({ create })).jpeg(options).toBuffer();

describe('the frame header of a JPEG', () => {
  it.each([
    ['colour', () => jpeg(), 3],
    ['progressive', () => jpeg(undefined, { progressive: true }), 3],
    ['grey', () => jpeg((image) => image.toColourspace('b-w')), 1],
    ['CMYK', () => jpeg((image) => image.toColourspace('cmyk')), 4],
    [
      'with EXIF and a profile before it',
      () => jpeg((image) => image.withExif({ IFD0: { Artist: 'a' } }).withIccProfile('p3')),
      3,
    ],
  ])('is that of an image that is %s', async (_, make, components) => {
    const bytes = await make();
    expect(jpegFrame(bytes)).toEqual({ ...frame, components });
    expect((await sharp(bytes).metadata()).channels).toBe(components);
    // Fill bytes before a marker are legal.
    expect(jpegFrame(Buffer.concat([bytes.subarray(0, 2), Buffer.of(0xff, 0xff), bytes.subarray(2)]))).toEqual({
      ...frame,
      components,
    });
  });

  it('tells predicted samples from DCT coefficients', async () => {
    const bytes = await jpeg();
    const marker = bytes.indexOf(Buffer.of(0xff, 0xc0)) + 1;
    for (const lossless of [0xc3, 0xc7, 0xcb, 0xcf]) {
      bytes[marker] = lossless;
      expect(jpegFrame(bytes)?.isLossless).toBe(true);
    }
    bytes[marker] = 0xc9;
    expect(jpegFrame(bytes)?.isLossless).toBe(false);
  });

  it('is missing in what has none', async () => {
    const bytes = await jpeg();
    for (const length of [0, 2, 3, 12, 30]) expect(jpegFrame(bytes.subarray(0, length))).toBeUndefined();
    expect(jpegFrame(Buffer.from('no picture at all, but long enough'))).toBeUndefined();
  });
});
