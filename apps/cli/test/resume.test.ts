import type { ChildProcess } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, renameSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Event, SummaryEvent } from '../src/run/events.js';
import { lmdProcess as lmd, type Outcome, sha256, tiny as smallest, start, temporaryFolder } from './lmd.js';

const folder = temporaryFolder();
const isWindows = process.platform === 'win32';

/** Clipped, whose norm is a sum over all gradients, and with every measurement. */
const tiny = [
  ...smallest,
  ...['optimizers.lmd.clipNorm=0.5', 'optimizers.adamw.clipNorm=0.5', 'diagnostics.every=3'],
  ...['weightGrowth', 'priorBound', 'flipRate', 'gradientSignal', 'logNormality'].map(
    (name) => `diagnostics.${name}=true`,
  ),
];

/** How often a run is killed at random steps; the suite of native tests asks for more. */
const rounds = Number(process.env.LMD_KILLS ?? 1);

/** What an uninterrupted run of both rules ends with. */
const expected = { lmd: '', adamw: '' };
const metrics = { lmd: '', adamw: '' };
let posterior = '';

const model = (run: string, ...path: string[]) => sha256(join(folder, run, ...path, 'model.safetensors'));

/** The file as it is, but for what the clock and the process say. */
const metricsOf = (run: string, optimizer: 'lmd' | 'adamw') =>
  readFileSync(join(folder, run, optimizer, 'metrics.jsonl'), 'utf8').replace(
    /"(seconds|samplesPerSecond|peakMemoryBytes)":[^,}]+/g,
    '"$1":0',
  );

const posteriorOf = (run: string) => readFileSync(join(folder, run, 'lmd', 'posterior.json'), 'utf8');

beforeAll(async () => {
  const whole = await lmd(['train', ...tiny, '--out', 'whole', '--json'], folder);
  expect(whole).toMatchObject({ code: 0, stderr: '' });
  for (const optimizer of ['lmd', 'adamw'] as const) {
    expected[optimizer] = model('whole', optimizer);
    metrics[optimizer] = metricsOf('whole', optimizer);
  }
  expect(metrics.lmd).toContain('gradientSignal');
  posterior = posteriorOf('whole');
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function waitUntil(condition: () => boolean): Promise<void> {
  for (let tries = 0; tries < 200 && !condition(); tries++) await new Promise((resolve) => setTimeout(resolve, 50));
  expect(condition()).toBe(true);
}

/** Runs until the event, then does the deed. */
async function trainUntil(
  words: readonly string[],
  isMoment: (event: Event) => boolean,
  deed: (pid: number, child: ChildProcess) => void,
): Promise<Outcome> {
  let done = false;
  const running = start(['train', ...tiny, ...words, '--json'], folder, (event, child) => {
    if (done || !isMoment(event)) return;
    done = true;
    deed(child.pid!, child);
  });
  const outcome = await running.done;
  expect(done).toBe(true);
  return outcome;
}

/** A step at which to stop, early enough that the run cannot be over before the signal arrives. */
const randomStep = () => 1 + Math.floor(Math.random() * 11);

async function resume(run: string): Promise<Outcome> {
  const outcome = await lmd(['train', '--resume', run, '--json'], folder);
  expect(outcome, outcome.stderr).toMatchObject({ code: 0, stderr: '' });
  expect((outcome.events.at(-1) as SummaryEvent).type).toBe('summary');
  return outcome;
}

describe('kill -9 at a random step, then --resume', () => {
  it('ends with the bits of an uninterrupted run, with one optimizer', async () => {
    const step = randomStep();
    const killed = await trainUntil(
      ['--only', 'lmd', '--out', 'killed-one'],
      (event) => event.type === 'step' && event.step === step,
      (pid) => process.kill(pid, 'SIGKILL'),
    );
    if (!isWindows) expect(killed.signal).toBe('SIGKILL');
    expect(existsSync(join(folder, 'killed-one', 'model.safetensors')), `killed at step ${step}`).toBe(false);
    await resume('killed-one');
    expect(model('killed-one'), `killed at step ${step}`).toBe(expected.lmd);
    expect(metricsOf('killed-one', 'lmd')).toBe(metrics.lmd);
    expect(posteriorOf('killed-one')).toBe(posterior);
  });

  it.each(['lmd', 'adamw'])(
    'ends with the bits of an uninterrupted run, with two optimizers, during %s',
    async (during) => {
      const step = randomStep();
      const run = `killed-during-${during}`;
      let childPid = 0;
      await trainUntil(
        ['--out', run],
        (event) => event.type === 'step' && event.optimizer === during && event.step === step,
        (pid) => {
          childPid = JSON.parse(readFileSync(join(folder, run, during, 'run.lock'), 'utf8')).pid;
          expect(childPid).not.toBe(pid);
          process.kill(pid, 'SIGKILL');
        },
      );
      await waitUntil(() => !isAlive(childPid));
      expect(existsSync(join(folder, run, 'model.safetensors'))).toBe(false);
      const resumed = await resume(run);
      const skipped = resumed.events.filter((event) => event.type === 'result' && event.skipped);
      expect(skipped).toHaveLength(during === 'adamw' ? 1 : 0);
      expect([model(run, 'lmd'), model(run, 'adamw')], `killed at step ${step}`).toEqual([
        expected.lmd,
        expected.adamw,
      ]);
      expect([metricsOf(run, 'lmd'), metricsOf(run, 'adamw')]).toEqual([metrics.lmd, metrics.adamw]);
      expect(posteriorOf(run)).toBe(posterior);
    },
  );

  it('ends, with its child, when whoever reads its output has gone, and resumes', async () => {
    let childPid = 0;
    await trainUntil(
      ['--out', 'unread'],
      (event) => event.type === 'step' && event.step === 2,
      (_, child) => {
        childPid = JSON.parse(readFileSync(join(folder, 'unread', 'lmd', 'run.lock'), 'utf8')).pid;
        child.stdout!.destroy();
      },
    );
    await waitUntil(() => !isAlive(childPid));
    await resume('unread');
    expect(model('unread')).toBe(expected.lmd);
  });

  it.each(Array.from({ length: rounds }, (_, round) => round))('may be killed again and again: %s', async (round) => {
    const run = `killed-often-${round}`;
    for (let kill = 0; kill < 3; kill++) {
      let steps = 0;
      const last = 1 + Math.floor(Math.random() * 5);
      const words = kill === 0 ? ['train', ...tiny, '--only', 'lmd', '--out', run] : ['train', '--resume', run];
      const { done } = start([...words, '--json'], folder, (event, child) => {
        if (event.type === 'step' && ++steps === last) child.kill('SIGKILL');
      });
      await done;
    }
    writeFileSync(join(folder, run, 'lmd', '.posterior.json.0123456789ab.tmp'), 'half');
    writeFileSync(join(folder, run, '.report.html.0123456789ab.tmp'), 'half');
    await resume(run);
    expect(model(run)).toBe(expected.lmd);
    expect(metricsOf(run, 'lmd')).toBe(metrics.lmd);
    expect(posteriorOf(run)).toBe(posterior);
    expect(readdirSync(join(folder, run), { recursive: true }).filter((name) => String(name).endsWith('.tmp'))).toEqual(
      [],
    );
  });
});

describe.skipIf(isWindows)(`Ctrl-C, then --resume${isWindows ? ': Windows has no signals to send' : ''}`, () => {
  it.each([
    ['one optimizer', ['--only', 'lmd']],
    ['two optimizers', []],
  ])('saves, says how to resume, exits with 130, and ends with the same bits, with %s', async (name, extra) => {
    const run = `interrupted ${name}`;
    const step = randomStep();
    const stopped = await trainUntil(
      [...extra, '--out', run],
      (event) => event.type === 'step' && event.step === step,
      (pid) => process.kill(pid, 'SIGINT'),
    );
    expect(stopped.code).toBe(130);
    expect(stopped.stderr).toContain(`lmd train --resume "${run}"`);
    expect(stopped.stderr).not.toMatch(/\n\s+at /);
    expect(stopped.events.at(-1)).toMatchObject({ type: 'error', code: 'INTERRUPTED', subject: 'lmd' });
    const saved = stopped.events.find((event) => event.type === 'checkpoint' && event.reason === 'interrupted');
    // The signal arrives at or shortly after the step; a multiple of 4 has been saved already.
    if (saved?.type === 'checkpoint') expect(saved.step).toBeGreaterThanOrEqual(step);
    expect(readdirSync(join(folder, run)).filter((file) => file.includes('lock'))).toEqual([]);
    await resume(run);
    expect(model(run)).toBe(expected.lmd);
  });

  it.each(['SIGTERM', 'SIGHUP'] as const)('saves on %s too', async (name) => {
    const stopped = await trainUntil(
      ['--only', 'lmd', '--out', name],
      (event) => event.type === 'step' && event.step === 2,
      (pid) => process.kill(pid, name),
    );
    expect(stopped.code).toBe(130);
    expect(stopped.events.at(-1)).toMatchObject({ type: 'error', code: 'INTERRUPTED', subject: 'lmd' });
    await resume(name);
    expect(model(name)).toBe(expected.lmd);
  });

  it('saves all the same where one Ctrl-C arrives twice, as under npm', async () => {
    const stopped = await trainUntil(
      ['--out', 'twice'],
      (event) => event.type === 'step' && event.step === 2,
      (pid) => {
        process.kill(pid, 'SIGINT');
        setTimeout(() => process.kill(pid, 'SIGINT'), 1);
      },
    );
    expect(stopped.code).toBe(130);
    expect(stopped.stderr).toContain('lmd train --resume twice');
    expect(stopped.events.at(-1)).toMatchObject({ type: 'error', code: 'INTERRUPTED', subject: 'lmd' });
    await resume('twice');
    expect([model('twice', 'lmd'), model('twice', 'adamw')]).toEqual([expected.lmd, expected.adamw]);
  });

  it.each(['SIGTERM', 'SIGHUP'] as const)('saves on %s as on Ctrl-C', async (signal) => {
    const run = `stopped-by-${signal}`;
    const stopped = await trainUntil(
      ['--only', 'lmd', '--out', run],
      (event) => event.type === 'step' && event.step === 5,
      (pid) => process.kill(pid, signal),
    );
    expect(stopped.code).toBe(130);
    expect(stopped.events.at(-1)).toMatchObject({ type: 'error', code: 'INTERRUPTED' });
    await resume(run);
    expect(model(run)).toBe(expected.lmd);
  });

  it('obeys during set-up, and resumes from the start', async () => {
    const stopped = await trainUntil(
      ['--only', 'lmd', '--out', 'set-up'],
      (event) => event.type === 'run',
      (pid) => process.kill(pid, 'SIGTERM'),
    );
    expect(stopped.code).toBe(130);
    expect(stopped.stderr).toMatch(/Stopped lmd (before its first step|after step \d+)/);
    await resume('set-up');
    expect(model('set-up')).toBe(expected.lmd);
  });

  it('names npm start where npm start has run it', async () => {
    const { done, child } = start(
      ['train', ...tiny, '--only', 'lmd', '--out', 'from-npm', '--json'],
      folder,
      (event) => {
        if (event.type === 'step' && event.step === 3) child.kill('SIGINT');
      },
      { npm_lifecycle_event: 'start' },
    );
    expect((await done).stderr).toContain('npm start -- --resume from-npm');
  });
});

describe('a damaged run folder', () => {
  const stop = (run: string) =>
    trainUntil(
      ['--only', 'lmd', '--out', run],
      (event) => event.type === 'checkpoint' && event.step === 12,
      (pid) => process.kill(pid, 'SIGKILL'),
    );
  const checkpointsOf = (run: string) => {
    const path = join(folder, run, 'lmd', 'checkpoints');
    return readdirSync(path)
      .filter((name) => name.startsWith('step-'))
      .sort()
      .map((name) => join(path, name));
  };

  it('goes on from the checkpoint before a cut one, and says so', async () => {
    await stop('cut-one');
    const newest = checkpointsOf('cut-one').at(-1)!;
    truncateSync(newest, Math.floor(Math.random() * readFileSync(newest).length));
    const resumed = await resume('cut-one');
    expect(resumed.events.find(({ type }) => type === 'warning')).toMatchObject({
      message: expect.stringContaining(newest),
    });
    expect(model('cut-one')).toBe(expected.lmd);
  });

  it('does not come back where it is removed while it trains', async () => {
    for (const extra of [['--only', 'lmd'], []]) {
      const run = join(folder, 'removed');
      const outcome = await trainUntil(
        [...extra, '--out', 'removed'],
        (event) => event.type === 'step' && event.step === 5,
        // At once: a removal file by file meets files that the run still writes.
        () => renameSync(run, `${run}-elsewhere-${extra.length}`),
      );
      expect(outcome.code).toBe(1);
      expect(outcome.stderr).toMatch(/removed.config\.json is missing: the run folder was removed/);
      expect(existsSync(run)).toBe(false);
    }
  });

  it('refuses to go on where every checkpoint is cut, and leaves them as they are', async () => {
    await stop('cut-all');
    const files = checkpointsOf('cut-all');
    for (const file of files) truncateSync(file, 100);
    const resumed = await lmd(['train', '--resume', 'cut-all'], folder);
    expect(resumed.code).toBe(1);
    expect(resumed.stderr).toMatch(/^error .*step-000000\d\d\.safetensors/);
    expect(resumed.stderr).not.toMatch(/\n\s+at /);
    expect(checkpointsOf('cut-all')).toEqual(files);
  });

  it('refuses a configuration that was changed since', async () => {
    await stop('changed');
    const path = join(folder, 'changed', 'config.json');
    writeFileSync(path, readFileSync(path, 'utf8').replace('"noise": 0.05', '"noise": 0.06'));
    const resumed = await lmd(['train', '--resume', 'changed'], folder);
    expect(resumed.code).toBe(1);
    expect(resumed.stderr).toMatch(/noise is 0\.05 in the checkpoint and 0\.06 in this run/);
  });

  it('has one writer', async () => {
    let second: Promise<Outcome> | undefined;
    const words = ['smoke', '--set', 'steps=80', 'checkpoints.every=40', '--only', 'adamw', '--out', 'busy', '--json'];
    const first = await start(['train', ...words], folder, (event) => {
      if (event.type === 'step' && second === undefined) second = lmd(['train', '--resume', 'busy'], folder);
    }).done;
    const refused = await second!;
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('is writing to this run') });
    expect(first).toMatchObject({ code: 0, stderr: '' });
  });
});
