import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createCpuBackend } from '@lmd/backends/cpu';
import {
  type Backend,
  createOperations,
  describeOption,
  type EagerOperations,
  isLmdError,
  LmdError,
  type OptionsOf,
  type OptionTable,
  option,
  type ResolvedOptions,
  resolveOptions,
} from '@lmd/core';
import { type Chart, markdownTable, type Table } from '@lmd/report';
import { interruptSignal, type TerminalOutput } from '@lmd/training/node';
import { type ExampleProgress, progressOn } from './progress.js';
import { machineName, mebibytes, writeRecord } from './record.js';

export interface ExampleContext extends ExampleProgress {
  /** On the cpu backend, which is closed in the end. */
  readonly ops: EagerOperations;
  /** Path of the result files without extension, for a folder of checkpoints beside them. */
  readonly base: string;
  /** Aborted by Ctrl-C, for `train`. */
  readonly signal: AbortSignal;
}

export interface ExampleOutcome {
  readonly table: Table;
  /** What was trained and on what, as sentences. */
  readonly facts: readonly string[];
  /** The numbers behind the table. */
  readonly results: unknown;
  readonly chart?: Chart;
  /** A PNG, if the results are pictures. */
  readonly picture?: Uint8Array;
  /** Seconds of earlier, interrupted runs that this one resumed. */
  readonly earlierSeconds?: number;
}

export interface ExampleStreams {
  readonly out: TerminalOutput;
  readonly err: TerminalOutput;
}

const ownOptions = {
  out: option.text({ default: join('runs', 'examples'), describe: 'Folder of the result files.' }),
} as const satisfies OptionTable;

export interface ExampleCommand<T extends OptionTable> {
  /** Of the example's folder. */
  readonly name: string;
  /** Its options. */
  readonly table: T;
  /** Name of the result files, if some options have files of their own. Default: `name`. */
  readonly fileName?: (options: ResolvedOptions<T>) => string;
  /** Measures. Nothing is written if there is no outcome. */
  readonly run: (options: ResolvedOptions<T>, context: ExampleContext) => Promise<ExampleOutcome | undefined>;
}

/**
 * The command of an example. It writes its result files (`writeRecord`) when all is measured, and nothing before.
 *
 * @returns the exit code: 0, 1 for a failure, 2 for invalid options, 130 after Ctrl-C.
 */
export async function runExample<T extends OptionTable>(
  { name, table, fileName = () => name, run }: ExampleCommand<T>,
  args: readonly string[] = process.argv.slice(2),
  { out, err }: ExampleStreams = { out: process.stdout, err: process.stderr },
): Promise<number> {
  const all = { ...table, ...ownOptions };
  let options: ResolvedOptions<T & typeof ownOptions>;
  try {
    const given = valuesOf(name, all, args);
    if (given === 'help') {
      out.write(`${helpOf(name, all)}\n`);
      return 0;
    }
    options = resolveOptions(name, all, given as OptionsOf<typeof all>) as typeof options;
  } catch (error) {
    if (!isLmdError(error)) throw error;
    err.write(`${error.message}\n`);
    return 2;
  }
  const { out: folder, ...own } = options as { readonly out: string } & ResolvedOptions<T>;
  const interrupt = interruptSignal(() => err.write('\nStopping.\n'));
  const progress = progressOn(err, interrupt.signal);
  const began = performance.now();
  let backend: Backend | undefined;
  try {
    await mkdir(folder, { recursive: true });
    backend = await createCpuBackend();
    const ops = createOperations(backend);
    const { show, report } = progress;
    const base = join(folder, fileName(own as ResolvedOptions<T>));
    const context = { ops, show, report, base, signal: interrupt.signal };
    const outcome = await run(own as ResolvedOptions<T>, context);
    await progress.report(1, 1, 'writing');
    progress.end();
    if (outcome === undefined) return 0;
    const seconds = (performance.now() - began) / 1000 + (outcome.earlierSeconds ?? 0);
    // `maxRSS` is in KiB on every platform.
    const peakMemoryBytes = process.resourceUsage().maxRSS * 1024;
    const record = {
      example: name,
      command: ['npm run example --', name, ...args].join(' '),
      date: new Date().toISOString().slice(0, 10),
      machine: machineName(),
      node: process.versions.node,
      seconds: Number(seconds.toFixed(1)),
      peakMemoryBytes,
      facts: [...outcome.facts, `Computed by ${backend.device}.`],
      table: outcome.table,
      results: outcome.results,
    };
    const files = await writeRecord(base, record, outcome);
    out.write(`${markdownTable(outcome.table)}\n`);
    err.write(`${record.facts.join(' ')}\n`);
    err.write(
      `${seconds.toFixed(1)} s, peak memory ${mebibytes(peakMemoryBytes)} (tensors ${mebibytes(ops.memory().peakBytes)}). Written: ` +
        `${files.map(({ path, bytes }) => `${path} (${bytes} bytes)`).join(', ')}.\n`,
    );
    return 0;
  } catch (error) {
    progress.end();
    if (!isLmdError(error)) throw error;
    err.write(`${error.message}\n`);
    return isLmdError(error, 'INTERRUPTED') ? 130 : 1;
  } finally {
    interrupt.dispose();
    backend?.close?.();
  }
}

const flagOf = (option: string) => option.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

/** The options as numbers and texts, by the kind that the table declares. */
function valuesOf(
  name: string,
  table: OptionTable,
  args: readonly string[],
): { readonly [option: string]: unknown } | 'help' {
  const names = new Map(Object.keys(table).map((key) => [flagOf(key), key]));
  const { values, positionals } = parseArgs({
    args: [...args],
    options: {
      ...Object.fromEntries([...names.keys()].map((flag) => [flag, { type: 'string' as const }])),
      help: { type: 'boolean' },
    },
    strict: false,
    allowPositionals: true,
  });
  const { help, ...given } = values;
  if (help !== undefined) return 'help';
  const [stray] = positionals;
  // An unknown option takes no value, so that what follows it is a positional: its name is the better error.
  if (stray !== undefined && Object.keys(given).every((flag) => names.has(flag))) {
    throw new LmdError('INVALID_ARGUMENT', `${name}: there is an argument "${stray}".`, {
      subject: stray,
      value: stray,
      remedy: `Give options as --name value: ${[...names.keys()].join(', ')}.`,
    });
  }
  return Object.fromEntries(
    Object.entries(given).map(([flag, value]) => {
      const key = names.get(flag) ?? flag;
      const kind = table[key]?.kind;
      const isNumber = kind === 'integer' || kind === 'number';
      return [key, isNumber && typeof value === 'string' && value.trim() !== '' ? Number(value) : value];
    }),
  );
}

function helpOf(name: string, table: OptionTable): string {
  const width = Math.max(...Object.keys(table).map((key) => flagOf(key).length));
  const lines = Object.entries(table).map(([key, one]) => `  --${flagOf(key).padEnd(width)}  ${describeOption(one)}`);
  return [`Usage: npm run example -- ${name} [options]`, '', ...lines].join('\n');
}
