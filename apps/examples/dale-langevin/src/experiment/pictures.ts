import sharp from 'sharp';

/**
 * Pictures x₀ = 1 + pixel, row-major [count, size, size], as a PNG: a grid with ten in a row, on grey, enlarged so that
 * a pixel remains a square.
 */
export function pictureGrid(pictures: Float32Array, size: number, scale = 2): Promise<Buffer> {
  const count = pictures.length / size ** 2;
  const across = Math.min(10, count);
  const cell = size + 1;
  const width = across * cell + 1;
  const height = Math.ceil(count / across) * cell + 1;
  const grid = Buffer.alloc(width * height, 96);
  pictures.forEach((value, at) => {
    const picture = Math.floor(at / size ** 2);
    const row = Math.floor(picture / across) * cell + 1 + Math.floor((at % size ** 2) / size);
    const column = (picture % across) * cell + 1 + (at % size);
    grid[row * width + column] = Math.round(255 * Math.min(1, Math.max(0, value - 1)));
  });
  return sharp(grid, { raw: { width, height, channels: 1 } })
    .resize(width * scale, height * scale, { kernel: 'nearest' })
    .png({ palette: true })
    .toBuffer();
}
