import { existsSync, readdirSync, statSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import type { QueuePriority } from '@lmd/distributed';
import { writeFileAtomic } from '@lmd/safetensors/node';
import { toJson } from '@lmd/training';
import { interruptSignal } from '@lmd/training/node';
import { differences } from '../configuration/differences.js';
import { readJsonFile } from '../configuration/load.js';
import { resolveConfiguration } from '../configuration/resolve.js';
import type { Configuration } from '../configuration/schema.js';
import { selectOptimizers } from '../configuration/select-optimizers.js';
import { UsageError } from '../errors.js';
import { readLedger } from '../experiment/ledger/ledger.js';
import { withTrialRunner } from '../experiment/place.js';
import { Progress } from '../experiment/progress.js';
import { trialConfiguration } from '../experiment/run-trial.js';
import { resultsOf, runTrials } from '../experiment/run-trials.js';
import { jsonLine } from '../output/json.js';
import { writeNotes } from '../output/notes.js';
import { type Column, renderTable } from '../output/table.js';
import { keepStandardOutputClean, type Terminal } from '../output/terminal.js';
import { wrapText } from '../output/wrap.js';
import { configurationFrom } from '../own-data/configuration-from.js';
import { shortPath } from '../run/run.js';
import {
  atTheEdge,
  type Found,
  planSearch,
  type SearchPlan,
  searchTrials,
  winnerOf,
  winningConfiguration,
} from '../search/plan-search.js';
import { conclusionOf, renderSearch, winnerTable } from '../search/search-report.js';
import { describeDimension, parseRange } from '../search/spaces.js';

export interface SearchCommandOptions {
  readonly set?: readonly string[];
  readonly only?: readonly string[];
  readonly trials: number;
  readonly steps?: number;
  readonly range?: readonly string[];
  readonly parallel: number;
  readonly threads?: number;
  readonly on?: string;
  readonly priority: QueuePriority;
  readonly upload: boolean;
  readonly out?: string;
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

/** `lmd search`: searches the learning rate and the main settings of each optimizer on validation data. */
export async function searchCommand(
  source: string,
  options: SearchCommandOptions,
  terminal: Terminal,
  program: string,
): Promise<void> {
  if (options.json) keepStandardOutputClean();
  const { configuration: given } = await configurationFrom(source, options.set);
  const selected = selectOptimizers(given, options.only);
  const configuration = await resolveConfiguration(selected, source, (text) => writeNotes({ notes: [text] }, terminal));
  const plan = planSearch(configuration, { ...options, ranges: (options.range ?? []).map(parseRange) });
  const trials = searchTrials(plan);
  // Finds sizes and schedules that do not fit before the first trial.
  for (const trial of trials.slice(0, configuration.optimizers.length)) await trialConfiguration(trial);
  if (options.dryRun) {
    describe(plan, terminal);
    return;
  }
  const out = resolve(options.out ?? join('runs', `${configuration.name}-search`));
  await claim(out, plan);
  await run(out, plan, trials, options, terminal, program);
  const results = resultsOf((await readLedger(out)).records);
  const found = trials.flatMap((trial): Found[] => {
    const result = results.get(trial.hash);
    return result === undefined ? [] : [{ trial, result }];
  });
  await conclude(out, plan, found, options, terminal);
}

const layoutOf = (out: string) => ({
  plan: join(out, 'search.json'),
  best: join(out, 'best.json'),
  report: join(out, 'report.html'),
});

/** Stores what determines the search, or checks that the folder has the same search. */
async function claim(out: string, plan: SearchPlan): Promise<void> {
  const path = layoutOf(out).plan;
  const text = `${toJson(plan, 2)}\n`;
  if (!existsSync(path)) {
    await requireNewFolder(out);
    await writeFileAtomic(path, text);
    return;
  }
  const [difference] = differences([readJsonFile(path), JSON.parse(text)]);
  if (difference === undefined) return;
  const [before, now] = difference.values.map((value) => JSON.stringify(value) ?? 'nothing');
  throw new UsageError('INVALID_ARGUMENT', `${difference.key} is ${now}, but the search in ${out} has ${before}.`, {
    subject: difference.key,
    value: difference.values[1],
    remedy: 'Use another folder with --out, or the same settings to resume that search.',
  });
}

/** A folder with other files is refused: a run's has a `report.html` too, which the search would replace. */
async function requireNewFolder(out: string): Promise<void> {
  const isFolder = statSync(out, { throwIfNoEntry: false })?.isDirectory() ?? true;
  const entry = isFolder && existsSync(out) ? readdirSync(out).find((name) => !name.startsWith('.')) : undefined;
  if (!isFolder || entry !== undefined) {
    const problem = isFolder ? `contains ${entry}, but no search` : 'is a file';
    throw new UsageError('INVALID_ARGUMENT', `--out ${out} ${problem}.`, {
      subject: '--out',
      value: out,
      remedy: 'Use a new or empty folder, or that of a search to resume it.',
    });
  }
  await mkdir(out, { recursive: true });
}

async function run(
  out: string,
  { configuration }: SearchPlan,
  trials: ReturnType<typeof searchTrials>,
  { parallel, threads, on, priority, upload, json }: SearchCommandOptions,
  { error }: Terminal,
  program: string,
): Promise<void> {
  const progress = new Progress((text) => void error.write(text), error.isTTY === true && !json, error.columns);
  const interrupt = interruptSignal(() => progress.say('Finishing the step and saving.'));
  try {
    const place = {
      ...{ on, priority, upload, out, parallel, program },
      threads: threads ?? Math.max(1, Math.floor(availableParallelism() / parallel)),
      say: (text: string) => progress.say(text),
    };
    await withTrialRunner(place, (runner) =>
      runTrials({
        what: 'search',
        planned: () => trials,
        pending: (results) => trials.filter(({ hash }) => !results.has(hash)),
        unit: configuration,
        out,
        runner,
        signal: interrupt.signal,
        progress,
      }),
    );
  } finally {
    interrupt.dispose();
  }
}

async function conclude(
  out: string,
  plan: SearchPlan,
  found: readonly Found[],
  { json }: SearchCommandOptions,
  terminal: Terminal,
): Promise<void> {
  const layout = layoutOf(out);
  const best = winningConfiguration(plan, found);
  await writeFileAtomic(layout.report, renderSearch(plan, found));
  if (best !== undefined) await writeFileAtomic(layout.best, `${JSON.stringify(best, null, 2)}\n`);
  if (json) terminal.out.write(jsonLine(asJson(out, plan, found, best)));
  else show(layout, plan, found, best !== undefined, terminal);
}

function asJson(out: string, plan: SearchPlan, found: readonly Found[], best: Configuration | undefined): object {
  const winners = plan.configuration.optimizers.map(({ name }) => {
    const winner = winnerOf(found, name);
    if (winner === undefined) return { optimizer: name, diverged: true };
    const { trial, result } = winner;
    return {
      optimizer: name,
      settings: trial.options,
      validationLoss: result.loss,
      validationAccuracy: result.accuracy,
    };
  });
  return { type: 'search', folder: out, winners, ...(best === undefined ? {} : { best: layoutOf(out).best }) };
}

function show(
  { best, report }: ReturnType<typeof layoutOf>,
  plan: SearchPlan,
  found: readonly Found[],
  hasBest: boolean,
  { out, colours }: Terminal,
): void {
  const { columns, rows } = winnerTable(plan, found);
  const shown = columns.map(({ title, align }, index): Column<readonly string[]> => {
    return { title, align, cell: (row) => row[index]! };
  });
  out.write(`\n${renderTable(shown, rows, { styleTitle: colours.bold, columns: out.columns })}\n\n`);
  out.write(`${wrapText(conclusionOf(plan, found), out.columns)}\n`);
  const edge = atTheEdge(plan, found);
  if (edge.length > 0) {
    const note = `At the end of its range: ${edge.join(', ')}. The optimum may be beyond: use --range.`;
    out.write(`${wrapText(`${colours.yellow('note')} ${note}`, out.columns)}\n`);
  }
  if (hasBest) out.write(`\nTrain     lmd train ${shortPath(best)}\n`);
  out.write(`Report    ${shortPath(report)}\n`);
}

/** `--dry-run`. */
function describe({ configuration, spaces, trials, steps }: SearchPlan, { out }: Terminal): void {
  const count = trials * configuration.optimizers.length;
  out.write(
    `${count} trials of ${steps} steps: ${trials} for each of ${configuration.optimizers.length} optimizers.\n`,
  );
  for (const [name, space] of Object.entries(spaces)) {
    const ranges = Object.entries(space).map(([option, dimension]) => describeDimension(option, dimension));
    out.write(`${wrapText(`${name}: ${ranges.join('; ')}`, out.columns)}\n`);
  }
}
