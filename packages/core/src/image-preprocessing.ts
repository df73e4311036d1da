/** How an image of any size becomes an input of a network, f32 [height, width, channels]. */
export interface ImagePreprocessing {
  /** Height of the input, in pixels. */
  readonly height: number;
  /** Width of the input, in pixels. */
  readonly width: number;
  /** 1 for grey levels, 3 for RGB. */
  readonly channels: number;
  /** `crop` resizes the largest centred region with the input's aspect ratio, `stretch` the whole image. */
  readonly fit: 'crop' | 'stretch';
  /** With `crop`, the fraction of the sides of that region that is kept, above 0 and at most 1. */
  readonly cropFraction: number;
  /** The filter of the resizing, with antialiasing, as in Pillow. */
  readonly interpolation: 'bilinear' | 'bicubic';
  /** The input is (byte / 255 − mean) / standardDeviation, per channel. */
  readonly mean: readonly number[];
  readonly standardDeviation: readonly number[];
  /** `exif` turns an image as its EXIF orientation says, `stored` uses its pixels as they are stored. */
  readonly orientation: 'exif' | 'stored';
  /**
   * `full` (the default) decodes every pixel of a file. `reduced` decodes a JPEG at 1/2, 1/4 or 1/8 of its size where
   * the part that is kept still has twice the height and the width of the input: `reductionOf` of @lmd/data.
   */
  readonly decoding?: 'full' | 'reduced';
}
