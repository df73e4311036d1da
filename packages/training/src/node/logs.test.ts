import { readdir, readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createReferenceBackend } from '@lmd/backends/reference';
import { adamw, createOperations, isLmdError } from '@lmd/core';
import { describe, expect, it } from 'vitest';
import { rejection } from '../../test/small-run.js';
import { temporaryFolder } from '../../test/temporary-folder.js';
import { f32, moons, tinyMlp } from '../../test/tiny-mlp.js';
import { fromJson, type Plugin, train, weightGrowth } from '../index.js';
import { crc32c } from './crc32c.js';
import { decodeEvents, type EventRecord, encodeEvent } from './event-records.js';
import { checkpointing, latestCheckpoint, metricsCsv, metricsFile, readMetrics, tensorboardLog } from './index.js';

const golden = new URL('../../test/golden/tensorboard/', import.meta.url);

/** A run of 14 steps in a folder, from its newest checkpoint. */
async function runIn(
  folder: string,
  options: { replace?: boolean; plugins?: readonly Plugin[]; logs?: Plugin[] } = {},
) {
  const { replace = true, plugins = [] } = options;
  const checkpoints = join(folder, 'checkpoints');
  const warnings: string[] = [];
  const result = await train({
    ops: createOperations(createReferenceBackend()),
    model: tinyMlp(2, 6, 2, 0.1),
    optimizer: adamw(),
    precision: f32,
    data: { train: moons(40), validation: moons(16), test: moons(24, 'test') },
    seed: 7,
    steps: 14,
    batchSize: 8,
    evaluateEvery: 4,
    resume: () => latestCheckpoint(checkpoints),
    plugins: [
      metricsFile({ path: join(folder, 'metrics.jsonl'), replace }),
      ...(options.logs ?? [
        metricsCsv({ path: join(folder, 'metrics.csv'), replace }),
        tensorboardLog({ folder, replace }),
      ]),
      weightGrowth({ every: 5 }),
      checkpointing({ folder: checkpoints, every: 3 }),
      { name: 'listener', warning: ({ message }) => void warnings.push(message) },
      ...plugins,
    ],
  });
  result.dispose();
  return { warnings };
}

class Killed extends Error {}
const killAfter = (last: number): Plugin => ({
  name: 'kill',
  step: ({ step }) => {
    if (step === last) throw new Killed();
  },
});

async function eventFile(folder: string): Promise<string> {
  const names = (await readdir(folder)).filter((name) => name.includes('tfevents'));
  expect(names).toHaveLength(1);
  return join(folder, names[0]!);
}

async function eventsIn(folder: string) {
  const { records, tail } = decodeEvents(await readFile(await eventFile(folder)));
  expect(tail).toBe('complete');
  return records.map(({ record: { step, fileVersion, scalars } }) => ({ step, fileVersion, scalars }));
}

/** The rows without the time. */
async function rowsIn(folder: string): Promise<string[][]> {
  const text = await readFile(join(folder, 'metrics.csv'), 'utf8');
  return text.split('\n').map((line) => line.split(',').filter((_, column) => column !== 2));
}

describe('event records', () => {
  it.each([
    ['123456789', 0xe3069283],
    ['', 0],
    // RFC 3720, appendix B.4: 32 bytes of zeros.
    ['\0'.repeat(32), 0x8a9136aa],
  ])('CRC-32C of %j', (text, crc) => expect(crc32c(Buffer.from(text))).toBe(crc));

  it("are TensorBoard's to the byte, and are read back", async () => {
    const events = fromJson(await readFile(new URL('events.json', golden), 'utf8')) as EventRecord[];
    const bytes = await readFile(new URL('events.out.tfevents.1764500000.golden', golden));
    expect(Buffer.concat(events.map(encodeEvent)).equals(bytes)).toBe(true);
    const { records, tail } = decodeEvents(bytes);
    expect(tail).toBe('complete');
    const single = (record: EventRecord) =>
      record.scalars === undefined
        ? record
        : {
            ...record,
            scalars: Object.fromEntries(Object.entries(record.scalars).map(([k, v]) => [k, Math.fround(v)])),
          };
    expect(records.map(({ record }) => record)).toEqual(events.map(single));
  });
});

describe('metrics.csv and TensorBoard events', () => {
  it('have every step, validation, test and report once, as metrics.jsonl has them', async () => {
    const folder = await temporaryFolder();
    await runIn(folder);
    const lines = await readMetrics(join(folder, 'metrics.jsonl'));
    const [header, ...rows] = (await rowsIn(folder)).slice(0, -1);
    expect(header).toEqual([
      'step',
      'epoch',
      'trainingLoss',
      'validationLoss',
      'validationAccuracy',
      'testLoss',
      'testAccuracy',
    ]);
    expect(rows).toEqual(
      lines.flatMap((line) => {
        if (line.type === 'step') return [[String(line.step), String(line.epoch), String(line.loss), '', '', '', '']];
        if (line.type !== 'evaluation') return [];
        const values = [String(line.loss), String(line.accuracy)];
        const cells = line.split === 'test' ? ['', '', ...values] : [...values, '', ''];
        return [[String(line.step), '', '', ...cells]];
      }),
    );
    const [version, ...events] = await eventsIn(folder);
    expect(version).toMatchObject({ fileVersion: 'brain.Event:2' });
    const single = Math.fround;
    expect(events.filter(({ scalars }) => !Object.keys(scalars!)[0]!.startsWith('weightGrowth'))).toEqual(
      lines.flatMap((line) => {
        if (line.type === 'step') return [{ step: line.step, scalars: { 'loss/train': single(line.loss) } }];
        if (line.type !== 'evaluation') return [];
        const { step, split, loss, accuracy } = line;
        return [{ step, scalars: { [`loss/${split}`]: single(loss), [`accuracy/${split}`]: single(accuracy) } }];
      }),
    );
    const reports = events.filter(({ scalars }) => scalars!['weightGrowth/growth'] !== undefined);
    expect(reports.map(({ step }) => step)).toEqual([5, 10, 14]);
  });

  it('lose and repeat nothing when a run is killed and resumed, even in the middle of a write', async () => {
    const whole = await temporaryFolder();
    await runIn(whole);
    const [rows, events] = [await rowsIn(whole), await eventsIn(whole)];
    for (const kills of [[1], [3], [5, 8], [7, 14]]) {
      const folder = await temporaryFolder();
      for (const step of kills) {
        const error = await rejection(runIn(folder, { plugins: [killAfter(step)] }));
        expect((error as Error).cause).toBeInstanceOf(Killed);
        await writeFile(join(folder, 'metrics.csv'), `${step + 1},0,0.`, { flag: 'a' });
        const torn = encodeEvent({ wallTime: 1, step: step + 1, scalars: { 'loss/train': 1 } });
        await writeFile(await eventFile(folder), torn.subarray(0, 21), { flag: 'a' });
      }
      expect(await runIn(folder)).toEqual({ warnings: [] });
      expect(await rowsIn(folder), `killed after ${kills}`).toEqual(rows);
      expect(await eventsIn(folder), `killed after ${kills}`).toEqual(events);
    }
  });

  it('say that events were lost in a damaged file, and start anew in an empty one', async () => {
    const folder = await temporaryFolder();
    await rejection(runIn(folder, { plugins: [killAfter(8)] }));
    const path = await eventFile(folder);
    const bytes = await readFile(path);
    const at = decodeEvents(bytes).records[3]!.end;
    bytes[at + 14]! ^= 1;
    await writeFile(path, bytes);
    const { warnings } = await runIn(folder);
    expect(warnings).toEqual([expect.stringContaining(`is damaged at byte ${at}`)]);
    const emptied = await temporaryFolder();
    await rejection(runIn(emptied, { plugins: [killAfter(8)] }));
    await truncate(await eventFile(emptied), 0);
    await runIn(emptied);
    expect((await eventsIn(emptied))[0]).toMatchObject({ fileVersion: 'brain.Event:2' });
  });

  it.each(['metrics.csv', 'tfevents'])('refuse to replace the %s of another run unless asked to', async (what) => {
    const folder = await temporaryFolder();
    const log = (replace: boolean) =>
      what === 'tfevents' ? tensorboardLog({ folder, replace }) : metricsCsv({ path: join(folder, what), replace });
    const path = join(folder, what === 'tfevents' ? 'events.out.tfevents.1.other' : what);
    await writeFile(path, 'of another run');
    const error = (await rejection(runIn(folder, { logs: [log(false)] }))) as Error;
    expect(isLmdError(error.cause, 'RUN_EXISTS')).toBe(true);
    expect(await readFile(path, 'utf8')).toBe('of another run');
    const other = await temporaryFolder();
    await writeFile(join(other, what === 'tfevents' ? 'events.out.tfevents.1.other' : what), 'of another run');
    await runIn(other);
    expect((await eventsIn(other)).length).toBeGreaterThan(14);
    expect((await rowsIn(other))[0]![0]).toBe('step');
  });
});
