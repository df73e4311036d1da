import { readdirSync } from 'node:fs';
import { join } from 'node:path';
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
  const paths = readdirSync(pictures).map((file) => join(pictures, file));
  const decoder = imageDecoder();
  const { ours } = await race(
    { ours: () => Promise.all(paths.map((path) => decoder.decode(path))) },
    Math.max(rounds, least),
  );
  await decoder.close();
  const speed = (count / ours) * 1000;
  const title = `decoding, ${count} JPEGs of ${name}`;
  if (!hasPeer) report(title, speed, 'images/s');
  else {
    const theirs = peer('decode', pictures, threads, Math.max(rounds, least) + 3).imagesPerSecond;
    report(title, speed, 'images/s', 'Pillow', speed / theirs, 2);
  }
}
