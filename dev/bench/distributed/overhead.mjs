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
const most = 1.15;

/** Least milliseconds of a step of `lmd train`. */
function stepOf(words, cwd) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [program, 'train', ...words, '--json'], { cwd });
    let [text, errors, last, least, steps] = ['', '', undefined, Infinity, 0];
    child.stdout.setEncoding('utf8').on('data', (chunk) => {
      text += chunk;
      for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n')) {
        const event = JSON.parse(text.slice(0, end));
        text = text.slice(end + 1);
        if (event.type !== 'step') continue;
        // Its own clock: lines may come late, and several at once.
        const now = 1000 * event.seconds;
        if (++steps > untimed) least = Math.min(least, now - last);
        last = now;
      }
    });
    child.stderr.setEncoding('utf8').on('data', (chunk) => {
      errors += chunk;
    });
    child.on('close', (code) => (code === 0 ? resolve(least) : reject(new Error(errors))));
  });
}

/**
 * A step of two workers with one thread each beside one process with two threads: the same processors do the same
 * products.
 */
export async function measureOverhead({ quick, server }) {
  const folder = mkdtempSync(join(tmpdir(), 'lmd-bench-'));
  const model = quick ? { width: 32, depth: 1, heads: 1 } : { width: 384, depth: 6, heads: 6 };
  const configuration = {
    ...{ steps: quick ? 4 : 6, batchSize: quick ? 2 : 4, precision: 'fp32' },
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
  try {
    const alone = await stepOf(
      ['run.json', '--threads', '2', '--set', `microBatchSize=${configuration.batchSize / 2}`],
      folder,
    );
    const votes = ['--set', 'distributed={"exchange":"votes","workers":2}'];
    const compare = (name, milliseconds) =>
      report(
        `step of ${what}, two workers, ${name}`,
        milliseconds,
        'ms',
        'one process',
        alone / milliseconds,
        1 / most,
      );
    report(`step of ${what}, one process, two micro-batches`, alone, 'ms');
    compare('threads that average', await stepOf(['run.json', '--threads', '2', '--workers', '2'], folder));
    compare('threads that vote', await stepOf(['run.json', '--threads', '2', ...votes], folder));
    if (server === undefined) return;
    const { url, stop } = await startNatsServer(server);
    const worker = spawn(process.execPath, [program, 'worker', url, '--threads', '1', '--work', 'work'], {
      cwd: folder,
      stdio: 'ignore',
    });
    try {
      const server = ['run.json', '--threads', '1', '--workers', url];
      compare('averaging over NATS', await stepOf([...server, '--world', '2'], folder));
      compare('voting over NATS', await stepOf([...server, ...votes], folder));
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
