import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { LmdError } from '@lmd/core';
import { inProcessTransport, type Transport } from '@lmd/distributed';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findNatsServer, howToInstall, startNatsServer } from '../../../../scripts/nats-server.mjs';
import { plannedTrial } from '../../test/planned-trial.js';
import type { LedgerRecord } from '../experiment/ledger/record.js';
import { Progress } from '../experiment/progress.js';
import type { FinishedTrial, RunTrialOptions } from '../experiment/run-trial.js';
import { runTrials } from '../experiment/run-trials.js';
import { hashOf, type PlannedTrial, type TrialConfiguration } from '../experiment/trial.js';
import { inThisProcess } from '../trial/hosts.js';
import { type ClusterRunnerOptions, clusterRunner } from './cluster-runner.js';
import type { CodeIdentity } from './code-identity.js';
import { connectTransport } from './connect.js';
import { trialQueue } from './messages.js';
import { serve } from './serve.js';
import type { ServeOptions } from './service.js';

const folder = mkdtempSync(join(tmpdir(), 'lmd-cluster-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const code: CodeIdentity = { commit: 'c', versions: { '@lmd/core': '1.0.0' }, files: 'same' };
let folders = 0;
const newFolder = () => join(folder, String(folders++));

/** Trials that differ by their seeds. */
const trialsOf = (count: number, changes: Partial<TrialConfiguration> = {}): PlannedTrial[] =>
  Array.from({ length: count }, (_, seed) => {
    const configuration = { ...plannedTrial.configuration, ...changes, seed };
    return { ...plannedTrial, label: `seed ${seed}`, hash: hashOf(configuration), configuration };
  });

/** A result that only the configuration determines. */
const resultOf = (trial: PlannedTrial, data = 'synthetic'): FinishedTrial => ({
  seconds: 1,
  result: {
    ...{ diverged: false, loss: Number(trial.configuration.seed), accuracy: 0.5, trainingLoss: 1, spikes: 0 },
    ...{ curve: [], validation: [], deployed: {}, measures: [], data },
  },
});

const quick = async (trial: PlannedTrial) => resultOf(trial);

/** Runs until its signal is aborted. */
const endless = (_: PlannedTrial, { signal, onStep }: RunTrialOptions) =>
  new Promise<FinishedTrial>((_, reject) => {
    onStep(1);
    const stop = () => reject(new LmdError('INTERRUPTED', 'Stopped.'));
    signal.addEventListener('abort', stop);
    if (signal.aborted) stop();
  });

const program = findNatsServer();
let url: string;
let stopServer: (() => Promise<void>) | undefined;
beforeAll(async () => {
  if (program !== undefined) ({ url, stop: stopServer } = await startNatsServer(program));
});
afterAll(() => stopServer?.());

let prefixes = 0;
const transports = [
  { name: 'in one process', isMissing: false, connector: () => () => Promise.resolve(shared()) },
  {
    name: program === undefined ? `over NATS: ${howToInstall}` : 'over NATS',
    isMissing: program === undefined,
    connector: () => {
      const prefix = `test${prefixes++}`;
      return () => connectTransport(url, { prefix });
    },
  },
];
let current: Transport | undefined;
const shared = () => {
  current ??= inProcessTransport();
  return current;
};

describe.each(transports)('trials on workers, $name', ({ isMissing, connector }) => {
  const test = it.skipIf(isMissing);

  /** One server with its studies and workers. */
  function place() {
    current = undefined;
    const connect = connector();
    const open: Transport[] = [];
    const opened = async () => {
      const transport = await connect();
      open.push(transport);
      return transport;
    };
    const said: string[] = [];
    return {
      said,
      opened,
      async study(trials: readonly PlannedTrial[], out: string, more: Partial<ClusterRunnerOptions> = {}, stop = none) {
        mkdirSync(out, { recursive: true });
        const runner = await clusterRunner({
          ...{ transport: await opened(), out, code, upload: true, priority: 'normal', leaseMs: 1000 },
          ...{ say: (text) => said.push(text), ...more },
        });
        try {
          return await runTrials({
            what: 'study',
            planned: () => trials,
            pending: (results) => trials.filter(({ hash }) => !results.has(hash)),
            unit: plannedTrial.configuration,
            ...{ out, runner, signal: stop },
            progress: new Progress(() => {}, false),
          });
        } finally {
          await runner.close();
        }
      },
      async worker(signal: AbortSignal, more: Partial<ServeOptions> = {}) {
        return serve({
          ...{ transport: await opened(), host: inThisProcess, code, work: newFolder(), parallel: 1, threads: 1 },
          ...{ leaseMs: 1000, signal, say: (text) => said.push(text), execute: quick, ...more },
        });
      },
      async [Symbol.asyncDispose]() {
        for (const transport of open) await transport.close();
      },
    };
  }

  const none = new AbortController().signal;
  const ledgerOf = (out: string): LedgerRecord[] =>
    readFileSync(join(out, 'ledger.jsonl'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));

  async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
    while (!(await condition())) await wait(10);
  }

  test('each trial is in the ledger once, whoever ran it', async () => {
    await using server = place();
    const [stop, out, trials] = [new AbortController(), newFolder(), trialsOf(24)];
    const workers = [1, 2, 3].map((parallel) => server.worker(stop.signal, { parallel }));
    expect(await server.study(trials, out)).toBe(24);
    stop.abort();
    expect((await Promise.all(workers)).reduce((a, b) => a + b)).toBe(24);
    const records = ledgerOf(out).sort((a, b) => a.result.loss! - b.result.loss!);
    expect(records.map(({ hash }) => hash)).toEqual(trials.map(({ hash }) => hash));
    expect(records.map(({ result }) => result)).toEqual(trials.map((trial) => resultOf(trial).result));
    expect(records[0]).toMatchObject({ commit: 'c', versions: code.versions, node: process.versions.node });
    expect(await server.study(trials, out)).toBe(0);
  });

  test('a worker that is stopped hands its trial back', async () => {
    await using server = place();
    const [first, second, out] = [new AbortController(), new AbortController(), newFolder()];
    const running = server.study(trialsOf(1), out);
    let hasBegun = false;
    const execute: ServeOptions['execute'] = (trial, options) => {
      hasBegun = true;
      return endless(trial, options);
    };
    const stopped = server.worker(first.signal, { execute });
    await until(() => hasBegun);
    first.abort();
    expect(await stopped).toBe(0);
    expect(server.said).toContain('seed 0: handed back');
    const other = server.worker(second.signal);
    expect(await running).toBe(1);
    second.abort();
    expect(await other).toBe(1);
  });

  test('a worker that is not heard of loses its trial to another, and the result counts once', async () => {
    await using server = place();
    const [stop, out] = [new AbortController(), newFolder()];
    const running = server.study(trialsOf(1), out);
    // As a worker that is killed: it has taken the trial, and says nothing any more.
    const queue = (await server.opened()).queue(trialQueue, { leaseMs: 1000 });
    const lost = await queue.take({ timeoutMs: 60_000 });
    const worker = server.worker(stop.signal);
    expect(await running).toBe(1);
    await lost!.release();
    stop.abort();
    expect(await worker).toBe(1);
    expect(ledgerOf(out)).toHaveLength(1);
  });

  test('a study that is stopped takes back what has not begun, and finds what was finished meanwhile', async () => {
    await using server = place();
    const [stopStudy, stop, out, trials] = [new AbortController(), new AbortController(), newFolder(), trialsOf(3)];
    const executed: string[] = [];
    let finish: () => void = () => {};
    const finishing = new Promise<void>((resolve) => {
      finish = resolve;
    });
    const worker = server.worker(stop.signal, {
      async execute(trial, { onStep }) {
        executed.push(trial.label);
        onStep(1);
        if (executed.length === 1) await finishing;
        return resultOf(trial);
      },
    });
    const study = server.study(trials, out, {}, stopStudy.signal);
    const ended = expect(study).rejects.toMatchObject({ code: 'INTERRUPTED' });
    await until(() => executed.length === 1);
    // The study has heard of it.
    await wait(200);
    stopStudy.abort();
    await ended;
    finish();
    await until(() => server.said.some((text) => text === 'seed 0: finished'));
    expect(executed).toEqual(['seed 0']);
    expect(await server.study(trials, out)).toBe(3);
    stop.abort();
    await worker;
    expect([...executed].sort()).toEqual(['seed 0', 'seed 1', 'seed 2']);
  });

  test('a result whose record was written before the study was killed is not counted again', async () => {
    await using server = place();
    const [stop, out, [trial]] = [new AbortController(), newFolder(), trialsOf(1)];
    mkdirSync(out);
    const options = { transport: await server.opened(), out, code, upload: true, priority: 'normal', leaseMs: 1000 };
    const killed = await clusterRunner({ ...options, say: () => {} } as ClusterRunnerOptions);
    killed.start!(new Map());
    const worker = server.worker(stop.signal);
    const { finished, provenance } = await killed.run(trial!, { signal: none, onStep: () => {} });
    await killed.close();
    const { hash, label, configuration } = trial!;
    writeFileSync(
      join(out, 'ledger.jsonl'),
      `${JSON.stringify({ hash, label, configuration, ...finished, ...provenance })}\n`,
    );
    const more = trialsOf(2);
    expect(await server.study(more, out)).toBe(1);
    expect(ledgerOf(out)).toHaveLength(2);
    stop.abort();
    await worker;
  });

  test('a worker of another version is refused, and named', async () => {
    await using server = place();
    const [stop, out] = [new AbortController(), newFolder()];
    const running = server.study(trialsOf(1), out);
    const other = { ...code, files: 'other', versions: { '@lmd/core': '0.9.0' } };
    const refused = expect(server.worker(none, { code: other })).rejects.toThrow('@lmd/core is 0.9.0 here and 1.0.0');
    await refused;
    await until(() => server.said.some((text) => text.includes('has refused a trial')));
    const worker = server.worker(stop.signal);
    expect(await running).toBe(1);
    stop.abort();
    await worker;
  });

  test('data comes from the store by its hash, or from a copy that has the same', async () => {
    await using server = place();
    const [texts, out] = [newFolder(), newFolder()];
    mkdirSync(texts);
    writeFileSync(join(texts, 'a.txt'), 'Low precision, multiplicative. '.repeat(40));
    writeFileSync(join(texts, 'b.txt'), 'Log-normal weights move by factors. '.repeat(40));
    const [trial] = trialsOf(1, {
      data: { kind: 'text', path: texts, length: 16 },
      model: { kind: 'gpt2', width: 32, depth: 1, heads: 1 },
      evaluation: {},
    });
    const execute: ServeOptions['execute'] = async (trial, { data }) => resultOf(trial, `text from ${data}`);
    const fetched = newFolder();
    const stop = new AbortController();
    let worker = server.worker(stop.signal, { execute, work: fetched });
    expect(await server.study([trial!], out)).toBe(1);
    // The record has the path of the study, as that of a local run.
    expect(ledgerOf(out)[0]!.result.data).toBe(`text from ${texts}`);
    stop.abort();
    await worker;

    // Not uploaded, and nothing to fetch.
    const alone = newFolder();
    writeFileSync(join(texts, 'c.txt'), 'More.');
    const running = server.study([trial!], alone, { upload: false });
    await expect(server.worker(none, { execute })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT', subject: 'data' });
    const copy = newFolder();
    mkdirSync(copy);
    for (const name of ['a', 'b', 'c']) {
      writeFileSync(join(copy, `${name}.txt`), readFileSync(join(texts, `${name}.txt`)));
    }
    writeFileSync(join(copy, 'c.txt'), 'Less.');
    const wrong = server.worker(none, { execute, data: copy });
    await expect(wrong).rejects.toMatchObject({ code: 'INVALID_ARGUMENT', subject: '--data', value: copy });
    writeFileSync(join(copy, 'c.txt'), 'More.');
    const stopCopy = new AbortController();
    worker = server.worker(stopCopy.signal, { execute, data: copy });
    expect(await running).toBe(1);
    stopCopy.abort();
    await worker;
  });

  test('data that is damaged in the store is refused', async () => {
    await using server = place();
    const [text, out] = [join(folder, `${prefixes++}.txt`), newFolder()];
    writeFileSync(text, 'Low precision, multiplicative. '.repeat(40));
    const [trial] = trialsOf(1, {
      data: { kind: 'text', path: text, length: 16 },
      model: { kind: 'gpt2', width: 32, depth: 1, heads: 1 },
      evaluation: {},
    });
    const stop = new AbortController();
    const running = server.study([trial!], out, {}, stop.signal);
    const ended = expect(running).rejects.toMatchObject({ code: 'INTERRUPTED' });
    const { store } = await server.opened();
    await until(async () => (await store.keys('data/')).some((key) => key.endsWith('/manifest')));
    const [part] = (await store.keys('data/')).filter((key) => key.endsWith('/0'));
    const bytes = (await store.get(part!))!;
    bytes[3]! ^= 1;
    await store.put(part!, bytes);
    await expect(server.worker(none)).rejects.toMatchObject({
      code: 'DATA_CORRUPT',
      value: text.split(/[\\/]/).at(-1),
    });
    stop.abort();
    await ended;
  });

  test('a trial that fails ends the study with the error of the worker, and runs again with the next', async () => {
    await using server = place();
    const [stop, out] = [new AbortController(), newFolder()];
    let attempts = 0;
    const worker = server.worker(stop.signal, {
      async execute(trial) {
        attempts++;
        if (attempts === 1) throw new LmdError('BACKEND_FAILURE', 'The device is lost.', { subject: 'device' });
        return resultOf(trial);
      },
    });
    const failed = server.study(trialsOf(1), out);
    await expect(failed).rejects.toMatchObject({ code: 'BACKEND_FAILURE', subject: 'device' });
    expect(await server.study(trialsOf(1), out)).toBe(1);
    stop.abort();
    expect(await worker).toBe(2);
  });

  test('a trial that ends all its workers is given up', async () => {
    await using server = place();
    const running = server.study(trialsOf(1), newFolder());
    const ended = expect(running).rejects.toThrow('seed 0 was started 10 times, and no worker has finished it.');
    const queue = (await server.opened()).queue(trialQueue, { leaseMs: 1000 });
    for (let delivery = 1; delivery <= 10; delivery++) {
      const item = await queue.take({ timeoutMs: 60_000 });
      expect(item!.delivery).toBe(delivery);
      await item!.release();
    }
    const stop = new AbortController();
    const worker = server.worker(stop.signal);
    await ended;
    stop.abort();
    await worker;
  });

  test('files that only the machine of the study has are refused', async () => {
    await using server = place();
    const trials = trialsOf(1, { backend: { module: 'somewhere' } } as Partial<TrialConfiguration>);
    await expect(server.study(trials, newFolder())).rejects.toBeInstanceOf(LmdError);
  });
});
