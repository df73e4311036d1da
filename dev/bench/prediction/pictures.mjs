import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';

/**
 * Writes JPEGs of quality 90 with the bytes per pixel of photographs (about 0.3): waves of several lengths with some
 * noise, the same ones in every run.
 *
 * @param {string} folder
 * @param {{ count: number, width: number, height: number, different?: number }} size `different` pictures are made,
 *   which repeat; default: all
 */
export async function writePictures(folder, { count, width, height, different = count }) {
  const nameOf = (n) => join(folder, `${String(n).padStart(5, '0')}.jpg`);
  let state = 1;
  const random = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  const data = new Uint8Array(width * height * 3);
  for (let n = 0; n < Math.min(count, different); n++) {
    const waves = Array.from({ length: 3 }, () =>
      Array.from({ length: 3 }, () => ({ x: random() * 0.2, y: random() * 0.2, phase: random() * 6 })),
    );
    for (let y = 0, i = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        for (const channel of waves) {
          let value = 128 + 16 * (random() - 0.5);
          for (const wave of channel) value += 36 * Math.sin(wave.x * x + wave.y * y + wave.phase);
          data[i++] = Math.min(255, Math.max(0, value));
        }
      }
    }
    const raw = { width, height, channels: /** @type {const} */ (3) };
    await sharp(data, { raw }).jpeg({ quality: 90 }).toFile(nameOf(n));
  }
  for (let n = different; n < count; n++) copyFileSync(nameOf(n % different), nameOf(n));
}
