import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { reducedSize, reductionOf } from '@lmd/data/images';
import { imageDecoder } from '@lmd/data/node';
import { race, report } from '../lib/report.mjs';
import { peer } from './peer.mjs';

/** The best of at least so many rounds counts, after three to warm up. */
const least = 5;

/**
 * Images a second of the decoder alone, compared with Pillow in as many threads as there are processors.
 *
 * @param {{ name: string, pictures: string, rounds: number, threads: number, hasPeer: boolean, count: number }} task
 */
export async function benchDecoding({ name, pictures, rounds, threads, hasPeer, count }) {
  const speed = await decode(imageDecoder(), pictures, rounds);
  const title = `decoding, ${count} JPEGs of ${name}`;
  if (!hasPeer) report(title, speed, 'images/s');
  else report(title, speed, 'images/s', 'Pillow', speed / pillow(pictures, threads, rounds), 2);
}

/**
 * The same for photographs that are decoded at a reduced size for an input, compared with Pillow in full, and with the
 * same reduction by Pillow's `Image.draft`.
 *
 * @param {Parameters<typeof benchDecoding>[0] & { width: number, height: number, side: number }} task `side` is that of
 *   the square input
 */
export async function benchReducedDecoding({ side, width, height, ...task }) {
  const { name, pictures, rounds, threads, hasPeer, count } = task;
  const input = /** @type {const} */ ({ width: side, height: side, fit: 'crop', cropFraction: 1 });
  const speed = await decode(imageDecoder(undefined, undefined, { ...input, decoding: 'reduced' }), pictures, rounds);
  const title = `decoding, ${count} JPEGs of ${name}, reduced for ${side} × ${side}`;
  if (!hasPeer) {
    report(title, speed, 'images/s');
    return;
  }
  report(title, speed, 'images/s', 'Pillow in full', speed / pillow(pictures, threads, rounds), 2);
  const reduced = reducedSize({ width, height }, reductionOf({ width, height }, input));
  const draft = pillow(pictures, threads, rounds, reduced.width, reduced.height);
  report(title, speed, 'images/s', "Pillow's draft", speed / draft);
}

/** Images a second of the best round. */
async function decode(decoder, pictures, rounds) {
  const paths = readdirSync(pictures).map((file) => join(pictures, file));
  const { ours } = await race(
    { ours: () => Promise.all(paths.map((path) => decoder.decode(path))) },
    Math.max(rounds, least),
  );
  await decoder.close();
  return (paths.length / ours) * 1000;
}

/** @param {...number} draft width and height of the reduced pictures; none: in full */
function pillow(pictures, threads, rounds, ...draft) {
  return peer('decode', pictures, threads, Math.max(rounds, least) + 3, ...draft).imagesPerSecond;
}
