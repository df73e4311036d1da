// Writes the results of a first-light run to the README, with the machine, date and seed, and its figure of weights:
//   npm start && node scripts/readme-results.mjs runs/<folder>
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { markdownTable } from 'markdown-table';
import { withMarked, wrapped } from '../dev/bench/lib/marked.mjs';
import { writeWeightsFigure } from '../dev/figures/weights.mjs';
import { root } from './lib.mjs';

const folder = process.argv[2];
if (folder === undefined) {
  console.error('Usage: node scripts/readme-results.mjs <run folder>');
  process.exit(2);
}
const { name, seed, environment, results } = JSON.parse(readFileSync(join(folder, 'summary.json'), 'utf8'));
if (name !== 'first-light') throw new Error(`${folder} is a run of "${name}". Use a run of first-light.`);

const rows = [
  ['optimizer', 'format', 'test accuracy', 'test loss', 'seconds', 'images/s', 'peak memory'],
  ...results.map((result) => [
    result.optimizer,
    result.format,
    `${(100 * result.testAccuracy).toFixed(2)} %`,
    result.testLoss.toFixed(4),
    result.seconds.toFixed(1),
    String(Math.round(result.imagesPerSecond)),
    `${Math.round(result.peakMemoryBytes / 2 ** 20)} MiB`,
  ]),
];
const table = markdownTable(rows, { align: rows[0].map((_, column) => (column < 2 ? '' : 'r')) });
const caption = wrapped(
  `One run, seed ${seed}, ${environment.date}, ${environment.machine}, Node ${environment.node}, ` +
    `${environment.device}: ${environment.model}. Written by \`node scripts/readme-results.mjs\`; ` +
    'a single seed on one small task does not compare the optimizers.',
);

const path = join(root, 'README.md');
const readme = readFileSync(path, 'utf8');
writeFileSync(path, withMarked(readme, 'first-light', `${table}\n\n${caption}`));
await writeWeightsFigure(folder);
