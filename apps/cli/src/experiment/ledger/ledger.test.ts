import { appendFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isLmdError } from '@lmd/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { plannedTrial } from '../../../test/planned-trial.js';
import { hashOf } from '../trial.js';
import { LedgerWriter, packLedger, readLedger } from './ledger.js';
import type { LedgerRecord } from './record.js';

let folder: string;
let inner: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lmd-ledger-'));
  inner = join(folder, 'inner');
  path = join(inner, 'ledger.jsonl');
});
afterEach(() => rmSync(folder, { recursive: true, maxRetries: 5 }));

function record(seed: number): LedgerRecord {
  const configuration = { ...plannedTrial.configuration, seed };
  return {
    hash: hashOf(configuration),
    label: `±${seed}`,
    configuration,
    result: {
      diverged: true,
      loss: null,
      accuracy: null,
      trainingLoss: null,
      spikes: 0,
      curve: [[3, 0.5]],
      validation: [[3, 0.5, 0.25]],
      deployed: { fp32: { loss: 1, accuracy: 0.5 } },
      measures: [],
      parameters: 10,
      device: 'a device',
    },
    seconds: 1,
    commit: 'c0ffee',
    versions: { '@lmd/core': '1' },
    node: '20.0.0',
    machine: 'a machine',
    date: '2026-01-02T03:04:05Z',
  };
}

async function append(...records: LedgerRecord[]): Promise<number> {
  const writer = await LedgerWriter.open(path, await readLedger(inner));
  for (const entry of records) await writer.append(entry);
  await writer.close();
  return writer.recovered;
}

describe('the ledger', () => {
  it('is empty where there is no file, and gives back what was appended', async () => {
    expect(await readLedger(inner)).toEqual({ records: [], wholeBytes: 0, tornBytes: 0 });
    expect(await append(record(1), record(2))).toBe(0);
    expect(await append(record(3))).toBe(0);
    const { records, tornBytes } = await readLedger(inner);
    expect(records).toEqual([record(1), record(2), record(3)]);
    expect(tornBytes).toBe(0);
  });

  it('recovers from a last line torn at any byte, inside a character too', async () => {
    await append(record(1));
    const whole = readFileSync(path);
    const line = Buffer.from(`${JSON.stringify(record(2))}\n`);
    const inside = line.indexOf(Buffer.from('±')) + 1;
    for (const length of [1, inside, Math.floor(line.length / 2), line.length - 1]) {
      writeFileSync(path, Buffer.concat([whole, line.subarray(0, length)]));
      const loaded = await readLedger(inner);
      expect(loaded.records).toEqual([record(1)]);
      expect(loaded.tornBytes).toBe(length);
      expect(await append(record(3))).toBe(length);
      expect((await readLedger(inner)).records).toEqual([record(1), record(3)]);
    }
  });

  it('refuses a whole line that is no record, by its number, and changes nothing', async () => {
    await append(record(1));
    const { result, ...rest } = record(2);
    const without = [null, {}, { ...result, curve: [1] }, { ...result, diverged: false }];
    const damaged = without.map((changed) => JSON.stringify({ ...rest, result: changed }));
    for (const bad of ['{"hash":', '[]', 'null', '{"hash":3}', ...damaged]) {
      const before = `${JSON.stringify(record(1))}\n${bad}\n`;
      writeFileSync(path, before);
      const error = await readLedger(inner).catch((thrown: unknown) => thrown);
      expect(isLmdError(error, 'DATA_CORRUPT')).toBe(true);
      expect(String(error)).toContain('line 2');
      expect(readFileSync(path, 'utf8')).toBe(before);
    }
  });

  it('passes over empty lines', async () => {
    await append(record(1));
    appendFileSync(path, '\n\n');
    await append(record(2));
    expect((await readLedger(inner)).records).toEqual([record(1), record(2)]);
  });

  it('packs its records, and reads them before those that follow', async () => {
    await append(record(1), record(2));
    await packLedger(inner);
    expect(existsSync(path)).toBe(false);
    await append(record(3));
    expect((await readLedger(inner)).records).toEqual([record(1), record(2), record(3)]);
    await packLedger(inner);
    expect((await readLedger(inner)).records).toEqual([record(1), record(2), record(3)]);
    const packed = `${path}.gz`;
    writeFileSync(packed, readFileSync(packed).subarray(0, 40));
    const error = await readLedger(inner).catch((thrown: unknown) => thrown);
    expect(isLmdError(error, 'DATA_CORRUPT')).toBe(true);
  });

  it('names the file where it cannot be read', async () => {
    mkdirSync(path, { recursive: true });
    const error = await readLedger(inner).catch((thrown: unknown) => thrown);
    expect(isLmdError(error, 'FILE_SYSTEM')).toBe(true);
    expect(String(error)).toContain(path);
  });
});
