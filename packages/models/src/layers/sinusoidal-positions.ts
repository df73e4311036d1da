import type { Operations, Tensor } from '@lmd/core';

/**
 * A fixed position embedding of square pictures, [across², width]: sines and cosines of the row and of the column of a
 * patch, four channels for each wavelength (Vaswani et al. 2017, in two dimensions). It may replace the random initial
 * values of `positionEmbedding` in `vit`, with which attention has to learn first which patches are neighbours.
 *
 * @param across number of patches in a row of the picture.
 * @param wavelengths the shortest and the longest, in patches; those between are evenly spaced in their logarithms, and
 *   the longest is approached, not reached.
 */
export function sinusoidalPositions(
  ops: Operations,
  across: number,
  width: number,
  [shortest, longest]: readonly [number, number] = [4, 40],
): Tensor {
  const table = Array.from({ length: across ** 2 * width }, (_, at) => {
    const [patch, channel] = [Math.floor(at / width), at % width];
    const coordinate = channel % 2 === 0 ? Math.floor(patch / across) : patch % across;
    const frequency = ((2 * Math.PI) / shortest) * (shortest / longest) ** ((4 * Math.floor(channel / 4)) / width);
    return channel % 4 < 2 ? Math.sin(frequency * coordinate) : Math.cos(frequency * coordinate);
  });
  return ops.fromData(table, [across ** 2, width]);
}
