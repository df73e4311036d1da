import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { report } from '../lib/report.mjs';
import { peer } from './peer.mjs';

const program = fileURLToPath(new URL('../../../apps/cli/dist/bin.js', import.meta.url));

/** The JSON line of `lmd predict`. */
function lmdPredict(model, pictures) {
  const words = [program, 'predict', model, pictures, '--backend', 'cpu', '--top-k', '1', '--json'];
  const { status, stdout, stderr } = spawnSync(process.execPath, words, { encoding: 'utf8', maxBuffer: 2 ** 28 });
  if (status !== 0) throw new Error(`lmd predict failed:\n${stderr}`);
  return JSON.parse(stdout.trim().split('\n').at(-1));
}

/** Decoders and sums of the two libraries round differently. */
const tolerance = 1e-3;

function requireAgreement(ours, theirs) {
  for (const { file, label, probability } of ours) {
    const other = theirs[file]?.[label];
    if (other !== undefined && Math.abs(other / probability - 1) < tolerance) continue;
    throw new Error(
      `${file}: class ${label} has the probability ${probability}, and ${other} with timm, so the times cannot be compared.`,
    );
  }
}

/**
 * Images a second of `lmd predict`, compared with timm.
 *
 * @param {{ name: string, model: string, pictures: string, rounds: number, threads: number, hasPeer: boolean,
 *   count: number }} task
 */
export function benchPrediction({ name, model, pictures, rounds, threads, hasPeer, count }) {
  const [ours, theirs] = [[], []];
  for (let round = 0; round < rounds; round++) {
    const { predictions, seconds } = lmdPredict(model, pictures);
    if (predictions.length !== count) throw new Error(`lmd predict classified ${predictions.length} of ${count}.`);
    ours.push(count / seconds);
    if (!hasPeer) continue;
    for (const workers of [0, threads]) {
      const { imagesPerSecond, probabilities } = peer('classify', pictures, threads, workers, model);
      requireAgreement(
        predictions.filter(({ file }) => Object.hasOwn(probabilities, file)),
        probabilities,
      );
      console.error(`timm, ${workers} workers: ${imagesPerSecond.toFixed(1)} images/s`);
      theirs.push(imagesPerSecond);
    }
  }
  const speed = Math.max(...ours);
  const title = `lmd predict, ${name}, ${threads} threads`;
  if (hasPeer) report(title, speed, 'images/s', 'timm', speed / Math.max(...theirs), 1);
  else report(title, speed, 'images/s');
}
