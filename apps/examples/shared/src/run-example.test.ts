import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LmdError, option } from '@lmd/core';
import { lineChart, tableOf } from '@lmd/report';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type ExampleContext, type ExampleOutcome, recordInMarkdown, runExample } from './index.js';

const table = {
  batchSize: option.integer({ atLeast: 1, default: 4, describe: 'Batch size.' }),
  steps: option.integer({ atLeast: 1, default: 10, describe: 'Number of steps.' }),
  share: option.number({ above: 0, atMost: 1, default: 0.5, describe: 'Share.' }),
};

const outcome: ExampleOutcome = {
  table: tableOf(['name', 'value'], [['a', '1']]),
  facts: ['One fact.'],
  results: [{ name: 'a', value: 1 }],
  chart: lineChart({
    label: 'a',
    x: { title: 'x' },
    y: { title: 'y' },
    series: [
      {
        name: 'a',
        points: [
          { x: 0, y: 1 },
          { x: 1, y: 2 },
        ],
      },
    ],
  }),
};

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lmd-example-'));
});
afterEach(() => rmSync(folder, { recursive: true, maxRetries: 5 }));

type Options = { readonly batchSize: number; readonly steps: number; readonly share: number };

async function command(
  args: readonly string[],
  run: (options: Options, context: ExampleContext) => Promise<ExampleOutcome | undefined>,
  fileName?: (options: Options) => string,
) {
  const [out, err]: string[][] = [[], []];
  const streams = {
    out: { write: (text: string) => out!.push(text) },
    err: { write: (text: string) => err!.push(text) },
  };
  const code = await runExample(
    { name: 'sample', table, run, ...(fileName && { fileName }) },
    [...args, '--out', folder],
    streams,
  );
  return { code, out: out!.join(''), err: err!.join(''), files: readdirSync(folder).sort() };
}

describe('runExample', () => {
  it('passes options with their defaults, and writes the results', async () => {
    let seen: unknown;
    const { code, out, err, files } = await command(['--steps', '3'], async (options, { ops, report }) => {
      seen = options;
      ops.zeros([2 ** 20]);
      await report(1, 2, 'training');
      vi.spyOn(performance, 'now').mockReturnValue(performance.now() + 6000);
      await report(2, 3, 'testing');
      vi.restoreAllMocks();
      return outcome;
    });
    expect(seen).toEqual({ batchSize: 4, steps: 3, share: 0.5 });
    expect([code, files]).toEqual([0, ['sample.html', 'sample.json', 'sample.md', 'sample.svg']]);
    expect(readFileSync(join(folder, 'sample.html'), 'utf8')).toMatch(/One fact\..*<table.*<svg/s);
    expect(out).toContain('| a    |     1 |');
    expect(err).toMatch(/^ 50 % {2}training\n 67 % {2}testing, 0:06 left\n/);
    expect(err).toMatch(/\d+\.\d s, peak memory \d+ MiB \(tensors \d+ MiB\)\. Written: .*sample\.json \(\d+ bytes\)/);
    const record = JSON.parse(readFileSync(join(folder, 'sample.json'), 'utf8'));
    expect(record).toMatchObject({
      example: 'sample',
      facts: ['One fact.', expect.stringMatching(/^Computed by WebAssembly/)],
      results: [{ name: 'a', value: 1 }],
    });
    expect(record.command).toBe(`npm run example -- sample --steps 3 --out ${folder}`);
    expect(readFileSync(join(folder, 'sample.md'), 'utf8')).toBe(recordInMarkdown(record));
  });

  it.each<[string[], RegExp]>([
    [['--steps', '0'], /sample: steps is 0\. Use an integer at least 1/],
    [['--steps', 'many'], /sample: steps is NaN/],
    [['--share', ''], /sample: share is ""/],
    [['--step', '3'], /sample.*"step".*steps/],
    [['3'], /there is an argument "3"\. Give options as --name value: batch-size, steps, share, out/],
  ])('refuses %j with exit code 2', async (args, message) => {
    const { code, err, files } = await command(args, async () => outcome);
    expect([code, files]).toEqual([2, []]);
    expect(err).toMatch(message);
  });

  it('has options of several words, files by options, pictures, and the seconds of earlier runs', async () => {
    const { code, files } = await command(
      ['--batch-size', '8'],
      async (_, { base }) => {
        expect(base).toBe(join(folder, 'sample-8'));
        return { ...outcome, picture: Uint8Array.of(1, 2, 3), earlierSeconds: 1000 };
      },
      ({ batchSize }) => `sample-${batchSize}`,
    );
    expect([code, files]).toEqual([
      0,
      ['html', 'json', 'md', 'png', 'svg'].map((extension) => `sample-8.${extension}`),
    ]);
    expect(readFileSync(join(folder, 'sample-8.html'), 'utf8')).toContain('src="data:image/png;base64,AQID"');
    expect(JSON.parse(readFileSync(join(folder, 'sample-8.json'), 'utf8')).seconds).toBeGreaterThanOrEqual(1000);
  });

  it('writes nothing without an outcome', async () => {
    const { code, files } = await command([], async () => undefined);
    expect([code, files]).toEqual([0, []]);
  });

  it('shows its options', async () => {
    const { code, out } = await command(['--help'], async () => outcome);
    expect(code).toBe(0);
    expect(out).toMatch(/--steps {7}Number of steps\. A whole number, at least 1; default 10\./);
  });

  it('leaves no file behind after Ctrl-C, with exit code 130', async () => {
    const { code, err, files } = await command([], async (_, { report }) => {
      process.emit('SIGINT');
      await report(1, 2, 'training');
      return outcome;
    });
    expect([code, files]).toEqual([130, []]);
    expect(err).toContain('Nothing was written.');
  });

  it('states an error with its remedy and exit code 1, and leaves programming errors alone', async () => {
    const failing = await command([], async () => {
      throw new LmdError('DATA_CORRUPT', 'The file is short.', { remedy: 'Copy it again.' });
    });
    expect([failing.code, failing.files]).toEqual([1, []]);
    expect(failing.err).toContain('The file is short. Copy it again.');
    await expect(command([], async () => Promise.reject(new TypeError('bug')))).rejects.toThrow('bug');
  });
});
