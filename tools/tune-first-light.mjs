// How the hyper-parameters of the first-light preset were chosen: the same number of trials for each rule, drawn from a declared
// space by a seeded generator, judged by the validation loss alone. Writes docs/first-light-search.md.
//   npm run setup && node tools/tune-first-light.mjs [--trials 8] [--steps 300] [--seed 1]
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { root } from '../scripts/lib.mjs';

const { values } = parseArgs({
  options: {
    trials: { type: 'string', default: '8' },
    steps: { type: 'string', default: '300' },
    seed: { type: 'string', default: '1' },
  },
});
const trials = Number(values.trials);
const steps = Number(values.steps);

/** Mulberry32: enough for drawing trials, and the same everywhere. */
let state = Number(values.seed) >>> 0;
function uniform() {
  state = (state + 0x6d2b79f5) >>> 0;
  let t = Math.imul(state ^ (state >>> 15), 1 | state);
  t ^= t + Math.imul(t ^ (t >>> 7), 61 | t);
  return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
}
const logUniform = (low, high) => Number((low * (high / low) ** uniform()).toPrecision(2));
const choice = (...options) => options[Math.floor(uniform() * options.length)];

const spaces = {
  lmd: () => ({
    learningRate: logUniform(5e-3, 5e-2),
    regularization: logUniform(0.2, 1),
    noise: logUniform(0.02, 0.2),
    priorMedianFloor: choice(0.3, 0.5),
    rest: { learningRate: logUniform(1e-3, 1e-2), beta2: 0.99, weightDecay: 0 },
  }),
  adamw: () => ({
    learningRate: logUniform(5e-4, 2e-2),
    beta2: choice(0.95, 0.99, 0.999),
    weightDecay: choice(0.01, 0.05, 0.1),
  }),
};
const described = {
  lmd: 'learningRate 5e-3 … 5e-2, regularization 0.2 … 1, noise 0.02 … 0.2 and rest.learningRate 1e-3 … 1e-2, all log-uniform; priorMedianFloor 0.3 or 0.5',
  adamw: 'learningRate 5e-4 … 2e-2, log-uniform; beta2 0.95, 0.99 or 0.999; weightDecay 0.01, 0.05 or 0.1',
};

const out = mkdtempSync(join(tmpdir(), 'lmd-search-'));
const program = join(root, 'apps', 'cli', 'dist', 'bin.js');

/** The last validation loss and accuracy of one trial; a run that fails or diverges has an infinite loss. */
function validate(rule, options, index) {
  const optimizer = { name: rule, rule, ...options, schedule: { kind: 'cosine', warmup: 30, final: 0.05 } };
  const args = ['train', 'first-light', '--json', '--out', join(out, `${rule}-${index}`)];
  args.push(
    '--set',
    `steps=${steps}`,
    '--set',
    `evaluation.every=${steps}`,
    '--set',
    `optimizers=${JSON.stringify([optimizer])}`,
  );
  const { stdout, stderr, status } = spawnSync(process.execPath, [program, ...args], {
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  });
  const events = stdout
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line));
  const last = events.findLast((event) => event.type === 'evaluation' && event.split === 'validation');
  if (last !== undefined) return { loss: last.loss, accuracy: last.accuracy };
  const failure = events.findLast((event) => event.type === 'error' || event.type === 'failure');
  if (failure?.code === 'NON_FINITE') return { loss: Number.POSITIVE_INFINITY, accuracy: Number.NaN };
  throw new Error(`A trial ended with exit code ${status}: ${stderr}`);
}

const sections = [];
for (const [rule, draw] of Object.entries(spaces)) {
  const ledger = [];
  for (let index = 0; index < trials; index++) {
    const options = draw();
    const result = validate(rule, options, index);
    ledger.push({ options, ...result });
    console.error(
      `${rule} ${index + 1}/${trials}: loss ${result.loss.toFixed(4)}, accuracy ${(100 * result.accuracy).toFixed(2)} %  ${JSON.stringify(options)}`,
    );
  }
  ledger.sort((a, b) => a.loss - b.loss);
  const rows = ledger.map(
    ({ options, loss, accuracy }) =>
      `| ${loss.toFixed(4)} | ${(100 * accuracy).toFixed(2)} % | \`${JSON.stringify(options)}\` |`,
  );
  sections.push(
    `## ${rule}\n\nSpace: ${described[rule]}.\n\n| validation loss | accuracy | options |\n| ---: | ---: | --- |\n${rows.join('\n')}\n`,
  );
}
rmSync(out, { recursive: true });
const date = new Date().toISOString().slice(0, 10);
writeFileSync(
  join(root, 'docs', 'first-light-search.md'),
  `# How first-light's hyper-parameters were chosen

${trials} trials a rule, ${steps} steps each, all else as in the preset; judged by the loss on the validation images, which neither the training nor the test set holds. Written by \`node tools/tune-first-light.mjs --trials ${trials} --steps ${steps} --seed ${values.seed}\` on ${date}, ${cpus()[0]?.model.trim()}, ${availableParallelism()} cores, Node ${process.versions.node}. It is a small search for a first example, not a study.

${sections.join('\n')}`,
);
