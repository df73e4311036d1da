import { pictureSide, type SmallPicture } from './pictures.js';

/** The largest centred square of a picture, reduced to the size of the input. Needs an OffscreenCanvas. */
export async function decodePicture(blob: Blob): Promise<SmallPicture> {
  const bitmap = await createImageBitmap(blob);
  const size = Math.min(bitmap.width, bitmap.height);
  const canvas = new OffscreenCanvas(pictureSide, pictureSide);
  const context = canvas.getContext('2d', { willReadFrequently: true })!;
  context.imageSmoothingQuality = 'high';
  context.fillRect(0, 0, pictureSide, pictureSide);
  const [left, top] = [(bitmap.width - size) / 2, (bitmap.height - size) / 2];
  context.drawImage(bitmap, left, top, size, size, 0, 0, pictureSide, pictureSide);
  bitmap.close();
  const { data } = context.getImageData(0, 0, pictureSide, pictureSide);
  const pixels = new Uint8Array(pictureSide ** 2 * 3);
  for (let n = 0; n < pictureSide ** 2; n++) pixels.set(data.subarray(4 * n, 4 * n + 3), 3 * n);
  const png = await canvas.convertToBlob({ type: 'image/png' });
  return { pixels, png: new Uint8Array(await png.arrayBuffer()) };
}
