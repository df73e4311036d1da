import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { appendRecord, readRecords } from './records.mjs';

const folder = mkdtempSync(join(tmpdir(), 'lmd-posterior-'));
afterAll(() => rmSync(folder, { recursive: true }));
const file = join(folder, 'records.jsonl');

describe('the records of the posterior study', () => {
  it('are none without a file, and grow by a line each', () => {
    expect(readRecords(file)).toEqual([]);
    appendRecord(file, { label: 'first' });
    appendRecord(file, { label: 'ß' });
    expect(readRecords(file)).toEqual([{ label: 'first' }, { label: 'ß' }]);
  });

  it('survive half a line of a program that was killed', () => {
    writeFileSync(file, '{"label":"ß"}\n{"label":"thi');
    expect(readRecords(file)).toEqual([{ label: 'ß' }]);
    appendRecord(file, { label: 'third' });
    expect(readFileSync(file, 'utf8')).toBe('{"label":"ß"}\n{"label":"third"}\n');
  });

  it('name a damaged line', () => {
    writeFileSync(file, '{"label":"first"}\n{"label":\n{"label":"third"}\n');
    expect(() => readRecords(file)).toThrow(`${file}, line 2 is not JSON. Remove the line`);
  });
});
