/**
 * node dev/bench/cli/gpt2-124m.mjs [--json] [--quick] [--backend cpu] [--preset 124M]
 *
 * Measures whether GPT-2 124M trains with LMD in 8 GiB, with the built `lmd` command: a step in MXFP6, a checkpoint,
 * Ctrl-C, and a resume to the end of the second step, on 256 tokens of synthetic text. Prints the maximum resident
 * memory of each process (Linux only). `--quick` uses a small model, to check that it works.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { print, report } from '../lib/report.mjs';

const { values: given } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    backend: { type: 'string', default: 'cpu' },
    quick: { type: 'boolean', default: false },
    preset: { type: 'string' },
  },
});
if (process.platform !== 'linux') {
  console.error(
    `Peak memory cannot be measured on ${process.platform}, which has no /proc. Run this benchmark on Linux.`,
  );
  process.exit(2);
}
const preset = given.preset ?? (given.quick ? 'nano' : '124M');
// More steps for a small model, so that Ctrl-C arrives before the last.
const steps = given.quick ? 8 : 2;
const small = given.quick ? ['model.depth=1', 'model.width=32', 'model.heads=1'] : [];
const program = fileURLToPath(new URL('../../../apps/cli/dist/bin.js', import.meta.url));

/**
 * Runs `lmd`; gives its exit code, its events and its peak memory.
 *
 * @param {string[]} words
 * @param {string} cwd
 * @param {(event: { type: string }, child: import('node:child_process').ChildProcess) => void} [onEvent]
 */
async function lmd(words, cwd, onEvent) {
  const child = spawn(process.execPath, [program, ...words], { cwd, stdio: ['ignore', 'pipe', 'inherit'] });
  let peakBytes = 0;
  const watch = setInterval(() => {
    try {
      const kibibytes = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1];
      peakBytes = Math.max(peakBytes, Number(kibibytes ?? 0) * 1024);
    } catch {
      // The process has just ended.
    }
  }, 50);
  const events = [];
  createInterface({ input: child.stdout }).on('line', (line) => {
    if (!line.startsWith('{')) return;
    const event = JSON.parse(line);
    events.push(event);
    onEvent?.(event, child);
  });
  const code = await new Promise((resolve) => child.on('close', resolve));
  clearInterval(watch);
  return { code, events, peakBytes };
}

function expectCode(what, { code }, expected) {
  if (code !== expected) throw new Error(`${what} ended with exit code ${code} instead of ${expected}.`);
}

const folder = mkdtempSync(join(tmpdir(), 'lmd-gpt2-124m-'));
try {
  const texts = join(folder, 'texts');
  mkdirSync(texts);
  for (let i = 0; i < 20; i++) {
    const words = Array.from({ length: 150 }, (_, j) => ['synapses', 'change', 'by', 'noisy', 'steps'][(i * j) % 5]);
    writeFileSync(join(texts, `${i}.txt`), words.join(' '));
  }
  expectCode(
    'lmd data prepare',
    await lmd(['data', 'prepare', texts, '--out', 'tokens', '--validation', '0.4'], folder),
    0,
  );
  const settings = [
    ...small,
    ...[`model.preset=${preset}`, `backend=${given.backend}`, 'updateInPlace=true', `steps=${steps}`, 'batchSize=1'],
    ...['data.folder=tokens', 'data.length=256', 'optimizers.lmd.schedule.warmup=0'],
    ...['evaluation.examples=1', 'evaluation.batchSize=1', 'checkpoints.every=1', 'checkpoints.keep=1'],
  ];
  const words = ['train', 'speeches', '--only', 'lmd', '--set', ...settings, '--json', '--out', 'run'];
  const began = await lmd(words, folder, (event, child) => {
    if (event.type === 'step') child.kill('SIGINT');
  });
  expectCode('The interrupted run', began, 130);
  const [saved] = began.events.filter(({ type }) => type === 'checkpoint');
  const checkpointBytes = statSync(saved.path).size;
  const resumed = await lmd(['train', '--resume', 'run', '--json'], folder);
  expectCode('The resumed run', resumed, 0);
  const lossOf = ({ events }) => events.filter(({ type }) => type === 'step').map(({ step, loss }) => [step, loss]);
  const size = `GPT-2 ${preset}, LMD, MXFP6, 256 tokens, ${given.backend}`;
  // The ratio is the available memory divided by the used memory.
  const most = 8192;
  const reportBytes = (name, bytes, isBounded = !given.quick) => {
    const mebibytes = bytes / 2 ** 20;
    if (isBounded) report(`${name}, ${size}`, mebibytes, 'MiB', `${most} MiB`, most / mebibytes, 1);
    else report(`${name}, ${size}`, mebibytes, 'MiB');
  };
  reportBytes('peak memory of a step and a checkpoint', began.peakBytes);
  reportBytes('peak memory of a resume, a step, an evaluation and an export', resumed.peakBytes);
  reportBytes('its checkpoint', checkpointBytes, false);
  for (const [step, loss] of [...lossOf(began), ...lossOf(resumed)])
    console.error(`step ${step}: loss ${loss.toFixed(4)}`);
  print(given.json);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
