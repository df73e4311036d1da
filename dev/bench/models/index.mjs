/**
 * npm run bench -- models [--json] [--write] [--quick] [--only training,generation,caches,command] [--preset nano ...]
 * [--tokens 100]
 *                         [--steps 2] [--rounds 1] [--threads 2]
 *
 * Benchmarks of full-size models on the cpu backend, in one run of about ten minutes on two cores: training steps of
 * GPT-2 and ViT-S/16 in FP32 and MXFP6, with and without recomputation (tokens or images per second and peak memory),
 * compared with PyTorch; generation compared with transformers, and after long contexts with caches of keys and values
 * in block formats; and the memory of the `lmd` command for GPT-2 124M. PyTorch and transformers are those of python3
 * or the Python given by LMD_PYTHON (`dev/peers/requirements.txt`, `dev/parity/requirements.txt`). `--write` writes
 * docs/performance-models.md. `--quick` runs the smallest models once, without comparisons and without the command, to
 * check that it works; its times are not meaningful.
 */
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { leaveOut, print, rows } from '../lib/report.mjs';
import { benchCaches } from './caches.mjs';
import { benchCommand } from './command.mjs';
import { benchGeneration } from './generation.mjs';
import { writePage } from './page.mjs';
import { benchTraining } from './training.mjs';

/**
 * Each adds its rows to the report.
 *
 * @type {Record<string, (options: Parameters<typeof benchTraining>[0] & Parameters<typeof benchGeneration>[0]) => void
 *   | Promise<void>>}
 */
const sections = { training: benchTraining, generation: benchGeneration, caches: benchCaches, command: benchCommand };
const { values: given } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    only: { type: 'string' },
    preset: { type: 'string', multiple: true },
    tokens: { type: 'string' },
    steps: { type: 'string', default: '2' },
    rounds: { type: 'string', default: '1' },
    threads: { type: 'string', default: String(Math.min(2, availableParallelism())) },
  },
});
const refuse = (message) => {
  console.error(message);
  process.exit(2);
};
if (given.quick && given.write)
  refuse('--quick cannot be combined with --write: its times are not meaningful. Remove one of them.');
// The command's own benchmark has --quick.
const usual = Object.keys(sections).filter((section) => !given.quick || section !== 'command');
const selected = given.only?.split(',') ?? usual;
const unknown = selected.find((section) => !Object.hasOwn(sections, section));
if (unknown !== undefined) {
  refuse(`--only ${unknown} is not a section. Use some of ${Object.keys(sections).join(', ')}.`);
}

const options = {
  presets: given.preset ?? (given.quick ? ['char'] : ['nano', '124M']),
  maxTokens: Number(given.tokens ?? (given.quick ? 4 : 100)),
  steps: Number(given.steps),
  rounds: Number(given.rounds),
  threads: Number(given.threads),
  quick: given.quick,
};
const tables = {};
for (const [section, measure] of Object.entries(sections)) {
  if (!selected.includes(section)) leaveOut(`the section ${section}`);
  else {
    const before = rows.length;
    await measure(options);
    tables[section] = rows.slice(before);
  }
}
print(given.json);
if (given.write) writePage(tables);
