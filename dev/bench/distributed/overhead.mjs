import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { startNatsServer } from '../../../scripts/nats-server.mjs';
import { report } from '../lib/report.mjs';

const program = join(dirname(createRequire(import.meta.url).resolve('@lmd/cli/package.json')), 'dist', 'bin.js');
/** Steps that are not timed: the first ones compile. */
const untimed = 2;
/** Time that an exchange may add to a step, as a part of it. */
const allowed = 0.15;

/** Steps between two averages of the weights. */
const localSteps = 16;

const medianOf = (times) => times.toSorted((a, b) => a - b)[times.length >> 1];
const meanOf = (times) => times.reduce((sum, time) => sum + time, 0) / times.length;

/**
 * Milliseconds of a step of `lmd train`, and the number of its weights. Of steps that all exchange the median, not the
 * least: that of two workers needs luck for both in one step, that of one process for one. Where one in `period` steps
 * exchanges, the mean of whole periods after the first.
 */
function stepOf(words, cwd, period = 1) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [program, 'train', ...words, '--json'], { cwd });
    const times = [];
    let [text, errors, last, steps, weights] = ['', '', undefined, 0, 0];
    child.stdout.setEncoding('utf8').on('data', (chunk) => {
      text += chunk;
      for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n')) {
        const event = JSON.parse(text.slice(0, end));
        text = text.slice(end + 1);
        if (event.type === 'start') weights = event.parameters;
        if (event.type !== 'step') continue;
        // Its own clock: lines may come late, and several at once.
        const now = 1000 * event.seconds;
        if (++steps > Math.max(untimed, period)) times.push(now - last);
        last = now;
      }
    });
    child.stderr.setEncoding('utf8').on('data', (chunk) => {
      errors += chunk;
    });
    child.on('close', (code) =>
      code === 0
        ? resolve({ time: period === 1 ? medianOf(times) : meanOf(times), weights })
        : reject(new Error(errors)),
    );
  });
}

/** What averages add to a step of a worker with so many bytes, and so what a step must take. */
function boundOf(what, bytes, alone, together) {
  const seconds = (together - alone) / 1e3;
  const sent = `${(bytes / 1e6).toFixed(1)} MB in ${what}`;
  const added = `${(1e3 * seconds).toFixed(0)} ms to one of ${alone.toFixed(0)} ms`;
  const rate = `${(bytes / seconds / 1e6).toFixed(0)} MB/s`;
  return `${sent} add ${added}: R is ${rate}, and b / (${allowed}·R) is ${(seconds / allowed).toFixed(1)} s.`;
}

/**
 * A step of two workers with one thread each beside one process with two threads: the same processors do the same
 * products.
 *
 * @returns sentences for the page.
 */
export async function measureOverhead({ quick, server }) {
  const folder = mkdtempSync(join(tmpdir(), 'lmd-bench-'));
  const model = quick ? { width: 32, depth: 1, heads: 1 } : { width: 384, depth: 6, heads: 6 };
  const configuration = {
    ...{ steps: quick ? 4 : 12, batchSize: quick ? 2 : 4, precision: 'fp32' },
    data: { kind: 'text', path: 'text.txt', length: quick ? 16 : 128, tokenizer: 'characters' },
    model: { kind: 'gpt2', ...model },
    // A sign, so that votes are possible too.
    optimizers: [{ name: 'lion', rule: 'lion', learningRate: 0.0003, schedule: { kind: 'constant' } }],
    evaluation: { every: 1000, examples: 1, test: false },
    checkpoints: { every: 1000 },
  };
  writeFileSync(join(folder, 'text.txt'), 'Low precision, multiplicative weights, and their noise. '.repeat(400));
  writeFileSync(join(folder, 'run.json'), JSON.stringify(configuration));
  const what = quick ? 'a small GPT-2' : 'GPT-2 6×384';
  /** Of a longer step, whose exchange has as many bytes. */
  const long = quick ? { steps: 4, batchSize: 8 } : { steps: 7, batchSize: 64 };
  const settings = (changed) => Object.entries(changed).map(([key, value]) => `${key}=${value}`);
  const distributed = (exchange) => `distributed=${JSON.stringify({ workers: 2, ...exchange })}`;
  /** One process with two micro-batches. */
  const measureAlone = async (name, { batchSize, ...rest }) => {
    const set = settings({ ...rest, batchSize, microBatchSize: batchSize / 2 });
    const { time, weights } = await stepOf(['run.json', '--threads', '2', '--set', ...set], folder);
    report(`step of ${name}, one process, two micro-batches`, time, 'ms');
    return { time, weights };
  };
  const compare = async (name, alone, words, period) => {
    const { time } = await stepOf(['run.json', ...words], folder, period);
    report(`step of ${name}`, time, 'ms', 'one process', alone.time / time, 1 / (1 + allowed));
    return time;
  };
  try {
    const alone = await measureAlone(what, { batchSize: configuration.batchSize });
    const threads = (exchange) => ['--threads', '2', '--set', distributed(exchange)];
    await compare(`${what}, two workers, threads that average`, alone, threads({ exchange: 'averages' }));
    await compare(`${what}, two workers, threads that vote`, alone, threads({ exchange: 'votes' }));
    if (server === undefined) return [];
    const { url, stop } = await startNatsServer(server);
    const worker = spawn(process.execPath, [program, 'worker', url, '--threads', '1', '--work', 'work'], {
      cwd: folder,
      stdio: 'ignore',
    });
    try {
      const over = (exchange, changed = {}) => {
        const set = [distributed(exchange), ...settings(changed)];
        return ['--threads', '1', '--workers', url, '--set', ...set];
      };
      await compare(`${what}, two workers, voting over NATS`, alone, over({ exchange: 'votes' }));
      const averages = { exchange: 'averages' };
      const full = await compare(`${what}, two workers, averaging over NATS`, alone, over(averages));
      const rounded = { ...averages, format: 'bf16' };
      const half = await compare(`${what}, two workers, averaging in BF16 over NATS`, alone, over(rounded));
      const local = over({ exchange: 'weights', localSteps }, { steps: 3 * localSteps });
      await compare(
        `${what}, two workers, weights averaged every ${localSteps} steps over NATS`,
        alone,
        local,
        localSteps,
      );
      const longName = `${what} with ${long.batchSize} examples`;
      const longAlone = await measureAlone(longName, long);
      const longFull = await compare(`${longName}, two workers, averaging over NATS`, longAlone, over(averages, long));
      const bytes = 4 * alone.weights;
      return [
        'Averages over NATS add b / R to a step: b bytes of each worker, at R bytes a second. An overhead of at most ' +
          `${100 * allowed} % needs a step of b / (${allowed}·R) or more.`,
        boundOf('f32', bytes, alone.time, full),
        boundOf('BF16', bytes / 2, alone.time, half),
        boundOf('f32', bytes, longAlone.time, longFull),
      ];
    } finally {
      const ended = new Promise((resolve) => worker.on('exit', resolve));
      worker.kill();
      await ended;
      await stop();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}
