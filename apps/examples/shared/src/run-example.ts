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
}

export interface ExampleStreams {
  readonly out: TerminalOutput;
  readonly err: TerminalOutput;
}

const ownOptions = {
  out: option.text({ default: join('runs', 'examples'), describe: 'Folder of the result files.' }),
} as const satisfies OptionTable;

/**
 * The command of an example. It writes `<out>/<name>.json`, `.md` and `.svg` when all is measured, and nothing before.
 *
 * @param name of the example's folder.
 * @param table its options; every one has a default.
 * @returns the exit code: 0, 1 for a failure, 2 for invalid options, 130 after Ctrl-C.
 */
export async function runExample<T extends OptionTable>(
  {
    name,
    table,
    run,
  }: {
    readonly name: string;
    readonly table: T;
    readonly run: (options: ResolvedOptions<T>, context: ExampleContext) => Promise<ExampleOutcome>;
  },
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
    const {
      table: shown,
      chart,
      ...outcome
    } = await run(own as ResolvedOptions<T>, {
      ...{ ops, show, report },
      signal: interrupt.signal,
    });
    await progress.report(1, 1, 'writing');
    progress.end();
    const seconds = (performance.now() - began) / 1000;
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
      table: shown,
      results: outcome.results,
    };
    const files = await writeRecord(join(folder, name), record, chart);
    out.write(`${markdownTable(shown)}\n`);
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

/** The options as numbers and texts, by the kind that the table declares. */
function valuesOf(
  name: string,
  table: OptionTable,
  args: readonly string[],
): { readonly [option: string]: unknown } | 'help' {
  const declared = Object.fromEntries(Object.keys(table).map((key) => [key, { type: 'string' as const }]));
  const { values, positionals } = parseArgs({
    args: [...args],
    options: { ...declared, help: { type: 'boolean' } },
    strict: false,
    allowPositionals: true,
  });
  const { help, ...given } = values;
  if (help !== undefined) return 'help';
  const [stray] = positionals;
  // An unknown option takes no value, so that what follows it is a positional: its name is the better error.
  if (stray !== undefined && Object.keys(given).every((key) => Object.hasOwn(table, key))) {
    throw new LmdError('INVALID_ARGUMENT', `${name}: there is an argument "${stray}".`, {
      subject: stray,
      value: stray,
      remedy: `Give options as --name value: ${Object.keys(table).join(', ')}.`,
    });
  }
  return Object.fromEntries(
    Object.entries(given).map(([key, value]) => {
      const kind = table[key]?.kind;
      const isNumber = kind === 'integer' || kind === 'number';
      return [key, isNumber && typeof value === 'string' && value.trim() !== '' ? Number(value) : value];
    }),
  );
}

function helpOf(name: string, table: OptionTable): string {
  const width = Math.max(...Object.keys(table).map((key) => key.length));
  const lines = Object.entries(table).map(([key, one]) => `  --${key.padEnd(width)}  ${describeOption(one)}`);
  return [`Usage: npm run example -- ${name} [options]`, '', ...lines].join('\n');
}
