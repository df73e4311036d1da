import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { LedgerRecord } from '@lmd/cli/experiment';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { findNatsServer, howToInstall, startNatsServer } from '../../../scripts/nats-server.mjs';
import { smokeStudy } from './smoke.js';

const program = inject('program');
const natsServer = findNatsServer();
const folder = mkdtempSync(join(tmpdir(), 'lmd-study-'));
const file = join(folder, 'smoke.json');
afterAll(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly error: string;
}

const run = (study: string, ...words: string[]) => startOn(study, ...words).ended;
const start = (...words: string[]) => startOn(file, ...words);

function startOn(study: string, ...words: string[]): { readonly child: ChildProcess; readonly ended: Promise<Ended> } {
  const child = spawn(process.execPath, [program, study, ...words], { stdio: ['ignore', 'pipe', 'pipe'] });
  let out = '';
  let error = '';
  child.stdout!.on('data', (chunk) => {
    out += chunk;
  });
  child.stderr!.on('data', (chunk) => {
    error += chunk;
  });
  return { child, ended: new Promise((resolve) => child.on('close', (code) => resolve({ code, out, error }))) };
}

function ledger(out: string): LedgerRecord[] {
  const text = readFileSync(join(out, 'ledger.jsonl'), 'utf8');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
}

/** The records by their hash, without what depends on the machine and the time. */
function byHash(out: string): object {
  return Object.fromEntries(
    ledger(out).map(({ hash, seconds: _, date: __, machine: ___, ...record }) => {
      const { peakMemoryBytes: ____, ...result } = record.result;
      return [hash, { ...record, result }];
    }),
  );
}

function lines(out: string): number {
  try {
    return readFileSync(join(out, 'ledger.jsonl'), 'utf8').split('\n').length - 1;
  } catch {
    return 0;
  }
}

/** Waits until the ledger has so many lines, and says whether the process was still there. */
async function until(out: string, count: number, child: ChildProcess): Promise<boolean> {
  while (lines(out) < count) {
    if (child.exitCode !== null) return false;
    await wait(20);
  }
  return child.exitCode === null;
}

/** The report without its last section, which tells when and by what it was made. */
function findings(out: string): string {
  const report = readFileSync(join(out, 'report.md'), 'utf8');
  const at = report.indexOf('## Setup');
  expect(at).toBeGreaterThan(0);
  return report.slice(0, at);
}

const whole = join(folder, 'whole');
let total = 0;
beforeAll(async () => {
  writeFileSync(file, JSON.stringify(smokeStudy));
  const { code, error } = await start('--out', whole, '--parallel', '2').ended;
  expect(error).toContain('trials run.');
  expect(code).toBe(0);
  total = ledger(whole).length;
});

describe('a study', () => {
  it('runs to its end, each trial once, and says what is what', () => {
    const records = ledger(whole);
    expect(new Set(records.map(({ hash }) => hash)).size).toBe(total);
    expect(records.filter(({ result }) => result.diverged).length).toBeGreaterThan(0);
    for (const { seconds, commit, node, machine, date, versions } of records) {
      expect(seconds).toBeGreaterThan(0);
      expect(commit).toMatch(/^([0-9a-f]{40}\+?|unknown)$/);
      expect(node).toBe(process.versions.node);
      expect(machine).toContain('cores');
      expect(Date.parse(date)).toBeGreaterThan(0);
      expect(versions['@lmd/core']).toMatch(/^\d/);
    }
    const report = findings(whole);
    expect(report).toContain(`Complete: all ${total} trials`);
    for (const title of ['AdamW', 'LMD', 'FP32', 'MXFP4', 'deployed', 'octaves', 'no noise', 'half the rate']) {
      expect(report).toContain(title);
    }
    expect(report).toMatch(/\| LMD +\| +[\d.]+ ± [\d.]+ +\| +[\d.]+ ± [\d.]+ +\|$/m);
    expect(readFileSync(join(whole, 'figure.svg'), 'utf8')).toMatch(/^<svg/);
    expect(readFileSync(join(whole, 'report.html'), 'utf8')).toContain('<svg');
    const csv = readFileSync(join(whole, 'trials.csv'), 'utf8').trim().split('\n');
    // Unchanged LMD and AdamW at half its rate are trials of two parts each, in two formats.
    expect(csv).toHaveLength(1 + total + 4);
  });

  it('killed by SIGKILL in the middle, twice, once in the middle of a write, gives the same report', async () => {
    const out = join(folder, 'killed');
    for (const count of [3, 9]) {
      const { child, ended } = start('--out', out);
      expect(await until(out, count, child)).toBe(true);
      child.kill('SIGKILL');
      await ended;
      // What a crash in the middle of a write leaves behind.
      writeFileSync(join(out, 'ledger.jsonl'), '{"hash":"torn', { flag: 'a' });
    }
    const partial = await start('--out', out, '--report').ended;
    expect(partial.code).toBe(0);
    expect(findings(out)).toMatch(/Partial: \d+ of \d+ trials/);
    const { code, error } = await start('--out', out, '--parallel', '2').ended;
    expect(error).toContain('Removed an incomplete last line');
    expect(code).toBe(0);
    expect(ledger(out)).toHaveLength(total);
    expect(findings(out)).toBe(findings(whole));
    expect(readFileSync(join(out, 'trials.csv'), 'utf8')).toBe(readFileSync(join(whole, 'trials.csv'), 'utf8'));
    // Nothing is left to do.
    const again = await start('--out', out).ended;
    expect(again.error).toContain('0 trials run.');
  });

  it.skipIf(natsServer === undefined)(
    `on three workers, two of which are killed, gives the same ledger${natsServer === undefined ? `: ${howToInstall}` : ''}`,
    async () => {
      const { url, stop } = await startNatsServer(natsServer!);
      const lmd = join(dirname(createRequire(import.meta.url).resolve('@lmd/cli/package.json')), 'dist', 'bin.js');
      const worker = (name: string) =>
        spawn(process.execPath, [lmd, 'worker', url, '--work', join(folder, name)], { stdio: 'ignore' });
      const workers = ['first', 'second', 'third'].map(worker);
      try {
        const out = join(folder, 'remote');
        const { child, ended } = start('--out', out, '--on', url);
        for (const [index, count] of [2, 6].entries()) {
          expect(await until(out, count, child)).toBe(true);
          workers[index]!.kill('SIGKILL');
        }
        const { code, error } = await ended;
        expect({ code, error }).toMatchObject({ code: 0, error: expect.stringContaining(`${total} trials run.`) });
        expect(byHash(out)).toEqual(byHash(whole));
        expect(findings(out)).toBe(findings(whole));
        const stopped = new Promise((resolve) => workers[2]!.on('exit', resolve));
        workers[2]!.kill('SIGINT');
        expect(await stopped).toBe(130);
      } finally {
        for (const one of workers) one.kill('SIGKILL');
        await stop();
      }
    },
  );

  it('stopped by Ctrl-C ends with 130 and a whole ledger, and lets nobody else in meanwhile', async () => {
    const out = join(folder, 'stopped');
    const { child, ended } = start('--out', out);
    expect(await until(out, 1, child)).toBe(true);
    const other = await start('--out', out).ended;
    expect(other.code).toBe(1);
    expect(other.error).toContain('is writing to this run');
    child.kill('SIGINT');
    const { code, error } = await ended;
    expect(code).toBe(130);
    expect(error).toContain('Run the same command to resume the study.');
    const text = readFileSync(join(out, 'ledger.jsonl'), 'utf8');
    expect(text.endsWith('\n')).toBe(true);
    expect(ledger(out).length).toBeLessThan(total);
  });

  it('says beforehand what it would run, and runs one part alone', async () => {
    const out = join(folder, 'parts');
    const dry = await start('--out', out, '--dry-run', '--verbose').ended;
    expect(dry.code).toBe(0);
    expect(dry.out).toMatch(/search +4 +0 +4 /);
    expect(dry.out).toMatch(/ s of one core left at .* core-hours\./);
    expect(dry.out).toContain('search lmd #1 fp32 seed 0');
    expect(lines(out)).toBe(0);
    const early = await start('--out', out, '--only', 'final').ended;
    expect(early.code).toBe(2);
    expect(early.error).toContain('--only search');
    expect((await start('--out', out, '--only', 'search').ended).code).toBe(0);
    expect(lines(out)).toBe(4);
    expect(findings(out)).toContain('final: all');
  });

  it('repeats a finished trial to the bit, and says where it differs from the ledger', async () => {
    const label = 'final lmd mxfp4_e2m1 seed 0';
    expect(ledger(whole).map((record) => record.label)).toContain(label);
    const before = readFileSync(join(whole, 'ledger.jsonl'), 'utf8');
    const same = await start('--out', whole, '--repeat', label).ended;
    expect(same).toMatchObject({ code: 0, out: expect.stringContaining(`${label}: every result equals the ledger's`) });
    expect(readFileSync(join(whole, 'ledger.jsonl'), 'utf8')).toBe(before);

    const changed = join(folder, 'changed');
    mkdirSync(changed);
    const record = ledger(whole).find((one) => one.label === label)!;
    const result = { ...record.result, trainingLoss: record.result.trainingLoss! + 2 ** -20 };
    writeFileSync(
      join(changed, 'ledger.jsonl'),
      before.replace(JSON.stringify(record), JSON.stringify({ ...record, result })),
    );
    const other = await start('--out', changed, '--repeat', label).ended;
    expect(other).toMatchObject({ code: 1, error: expect.stringContaining('trainingLoss: ') });
    expect(other.error).toContain(`commit ${record.commit}`);
    const unknown = await start('--out', whole, '--repeat', 'final sgd').ended;
    expect(unknown).toMatchObject({ code: 2, error: expect.stringContaining('has no trial "final sgd"') });
  });

  it('refuses data that is not there, a model that does not fit, and a frozen study', async () => {
    const change = (name: string, changes: object) => {
      const path = join(folder, `${name}.json`);
      writeFileSync(path, JSON.stringify({ ...smokeStudy, ...changes }));
      return path;
    };
    const { configuration } = smokeStudy;
    const data = { kind: 'fashion-mnist', folder: join(folder, 'nowhere') };
    const absent = await run(change('images', { configuration: { ...configuration, data } }), '--dry-run');
    expect(absent.code).toBe(1);
    expect(absent.error).toContain('nowhere');
    const model = { ...configuration.model, patchSize: 7 };
    const unfit = await run(change('unfit', { configuration: { ...configuration, model } }), '--dry-run');
    expect(unfit.code).toBe(2);
    expect(unfit.error).toContain('patchSize');
    const votes = { exchange: 'votes', workers: 2 };
    const silent = await run(change('votes', { configuration: { ...configuration, distributed: votes } }), '--dry-run');
    expect(silent.code).toBe(2);
    const others = smokeStudy.optimizers.map(({ name }) => name).filter((name) => name !== 'lmd');
    expect(others.length).toBeGreaterThan(0);
    expect(silent.error).toContain(
      `cannot train with their exchange: ${others.map((name) => `${name} (votes)`).join(', ')}.`,
    );
    const frozen = await run(change('frozen', { frozen: 'For a reason.' }), '--out', join(folder, 'frozen'));
    expect(frozen.code).toBe(2);
    expect(frozen.error).toContain('For a reason.');
  });

  it.each([
    [['--only', 'serch'], 'Allowed choices are search'],
    [['--parallel', '0'], 'positive integer'],
    [['--data', 'nowhere', '--dry-run', '--frob'], 'unknown option'],
  ])('refuses %j', async (words, text) => {
    const { code, error } = await start(...words).ended;
    expect(code).toBe(2);
    expect(error).toContain(text);
  });
});
