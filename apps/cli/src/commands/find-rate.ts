import { existsSync } from 'node:fs';
import { rmdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { isLmdError } from '@lmd/core';
import { chartFile } from '@lmd/report';
import { writeFileAtomic } from '@lmd/safetensors/node';
import { toJson } from '@lmd/training';
import { claimRunFolder, interruptSignal } from '@lmd/training/node';
import type { OptimizerConfiguration } from '../configuration/optimizer-schema.js';
import { resolveConfiguration } from '../configuration/resolve.js';
import type { Configuration } from '../configuration/schema.js';
import { selectOptimizers } from '../configuration/select-optimizers.js';
import { UsageError } from '../errors.js';
import { jsonLine } from '../output/json.js';
import { writeNotes } from '../output/notes.js';
import { progressLine } from '../output/progress-line.js';
import { SpeedMeter } from '../output/speed.js';
import { type Column, renderTable } from '../output/table.js';
import { eraseLine, keepStandardOutputClean, type Terminal } from '../output/terminal.js';
import { decimal } from '../output/units.js';
import { configurationFrom } from '../own-data/configuration-from.js';
import { type NamedRateTest, rateChart, rateRows, renderRateTest } from '../rate-test/rate-report.js';
import { interrupted, type RateRange, rateTest } from '../rate-test/rate-test.js';
import { shortPath } from '../run/run.js';
import { withOpenTrial } from '../trial/open-trial.js';

export interface FindRateCommandOptions extends RateRange {
  readonly set?: readonly string[];
  readonly only?: readonly string[];
  readonly out?: string;
  readonly json?: boolean;
}

/** Rows of the table of losses. */
const shownRates = 15;

/** `lmd find-rate`: the learning-rate range test of each optimizer of a configuration. */
export async function findRateCommand(
  source: string,
  { set, only, out, json, ...range }: FindRateCommandOptions,
  terminal: Terminal,
): Promise<void> {
  if (json) keepStandardOutputClean();
  checkRange(range);
  const { configuration: given } = await configurationFrom(source, set);
  const selected = selectOptimizers(given, only);
  const configuration = await resolveConfiguration(selected, source, (text) => writeNotes({ notes: [text] }, terminal));
  const folder = out === undefined ? undefined : resolve(out);
  const isNew = folder !== undefined && !existsSync(folder);
  if (folder !== undefined) await claimFolder(folder);
  let tests: readonly NamedRateTest[];
  try {
    tests = await runTests(configuration, range, terminal, json === true);
  } catch (error) {
    if (isNew) await rmdir(folder).catch(() => {});
    throw error;
  }
  if (folder !== undefined) {
    const { name } = configuration;
    await writeFileAtomic(join(folder, 'rate-test.html'), renderRateTest(name, tests, range));
    await writeFileAtomic(join(folder, 'rate-test.svg'), chartFile(rateChart(tests)));
    await writeFileAtomic(join(folder, 'rate-test.json'), `${toJson({ name, ...range, tests }, 2)}\n`);
  }
  if (json) terminal.out.write(jsonLine({ type: 'rateTest', name: configuration.name, ...range, tests }));
  else show(source, tests, folder, terminal);
}

/** A folder of a range test has nothing to resume. */
async function claimFolder(folder: string): Promise<void> {
  try {
    await claimRunFolder(folder);
  } catch (cause) {
    if (!isLmdError(cause, 'RUN_EXISTS')) throw cause;
    throw new UsageError('INVALID_ARGUMENT', `--out: the folder ${folder} is not empty.`, {
      subject: '--out',
      value: folder,
      remedy: 'Use a new or empty folder, or remove that one.',
      cause,
    });
  }
}

function checkRange({ from, to }: RateRange): void {
  if (from < to) return;
  throw new UsageError('INVALID_ARGUMENT', `--from is ${from}, but --to is ${to}.`, {
    subject: '--from',
    value: from,
    remedy: 'Use a smaller --from, or a larger --to.',
  });
}

async function runTests(
  configuration: Configuration,
  range: RateRange,
  { error }: Terminal,
  isQuiet: boolean,
): Promise<NamedRateTest[]> {
  const interrupt = interruptSignal();
  const draws = error.isTTY === true && !isQuiet;
  try {
    const tests: NamedRateTest[] = [];
    for (const [index, optimizer] of configuration.optimizers.entries()) {
      const show = draws ? drawer(error, configuration, optimizer.name, range.steps) : () => {};
      // Opened anew for each, so that none finds the memory that another left.
      const result = await withOpenTrial({ configuration }, interrupt.signal, (open) =>
        rateTest(open, configuration, index, range, interrupt.signal, show),
      );
      if (result === undefined) throw interrupted(optimizer.name);
      tests.push({ optimizer: optimizer.name, rule: optimizer.rule, configured: configuredRate(optimizer), ...result });
    }
    return tests;
  } finally {
    if (draws) error.write(eraseLine);
    interrupt.dispose();
  }
}

/** The learning rate of an optimizer; undefined if its module has none in the configuration. */
function configuredRate(optimizer: OptimizerConfiguration): number | undefined {
  if (optimizer.rule !== 'module') return optimizer.learningRate;
  const { learningRate } = optimizer.options;
  return typeof learningRate === 'number' ? learningRate : undefined;
}

function drawer(
  { write, columns = 80 }: Pick<Terminal['error'], 'columns' | 'write'>,
  { batchSize, model }: Configuration,
  optimizer: string,
  steps: number,
): (step: number, loss: number) => void {
  const meter = new SpeedMeter();
  const examples = model.kind === 'gpt2' ? 'sequences' : 'images';
  return (step, loss) => {
    meter.add(performance.now() / 1000, step * batchSize);
    const { perSecond } = meter;
    const secondsLeft = perSecond === 0 ? 0 : ((steps - step) * batchSize) / perSecond;
    const progress = { optimizer, step, steps, loss, examplesPerSecond: perSecond, examples, secondsLeft };
    write(`${eraseLine}${progressLine(progress, columns - 1)}`);
  };
}

function show(
  source: string,
  tests: readonly NamedRateTest[],
  folder: string | undefined,
  { out, colours }: Terminal,
): void {
  const style = { styleTitle: colours.bold, columns: out.columns };
  out.write(`${renderTable(lossColumns(tests), lossRows(tests), style)}\n\n`);
  const { titles, rows } = rateRows(tests);
  const columns = titles.map((title, index): Column<readonly string[]> => {
    return { title, align: index === 0 ? 'left' : 'right', cell: (row) => row[index]! };
  });
  out.write(`${renderTable(columns, rows, style)}\n\n`);
  const assignments = tests.flatMap(({ optimizer, suggested }) =>
    suggested === undefined ? [] : [`optimizers.${optimizer}.learningRate=${suggested}`],
  );
  if (assignments.length > 0)
    out.write(`Train with the suggested rate: lmd train ${source} --set ${assignments.join(' ')}\n`);
  if (folder !== undefined) out.write(`Plot: ${shortPath(join(folder, 'rate-test.html'))}\n`);
}

function lossColumns(tests: readonly NamedRateTest[]): Column<number>[] {
  return [
    { title: 'learning rate', align: 'right', cell: (at) => decimal(longest(tests).points[at]!.rate) },
    ...tests.map(({ optimizer, points }): Column<number> => {
      return { title: `loss of ${optimizer}`, align: 'right', cell: (at) => points[at]?.smoothed.toFixed(4) ?? '' };
    }),
  ];
}

/** Indices of evenly spaced points. */
function lossRows(tests: readonly NamedRateTest[]): number[] {
  const { length } = longest(tests).points;
  const rows = Math.min(shownRates, length);
  return Array.from({ length: rows }, (_, row) => (rows === 1 ? 0 : Math.round((row * (length - 1)) / (rows - 1))));
}

function longest(tests: readonly NamedRateTest[]): NamedRateTest {
  return tests.reduce((a, b) => (b.points.length > a.points.length ? b : a));
}
