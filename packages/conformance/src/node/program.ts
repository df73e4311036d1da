import { LmdError, type OptionTable, option, resolveOptions, showValue } from '@lmd/core';
import { Command, Option } from 'commander';
import { version } from '../../package.json';
import { type ConformanceLevelName, conformanceLevelNames, conformanceLevels } from '../levels.js';
import type { ClimbOptions } from './climb.js';

/** The options of the command that have a range, declared once. */
const numberTable = {
  timeout: option.number({
    above: 0,
    atMost: 86_400,
    default: 60,
    describe: 'Seconds for the import with create, and for each test.',
  }),
  seed: option.integer({ atLeast: 0, describe: 'Random seed of shapes and values (default: from the clock).' }),
} as const satisfies OptionTable;

/** What a command line asks for. */
export interface CommandRequest extends ClimbOptions {
  readonly markdown: readonly string[];
  readonly json: readonly string[];
}

interface Given {
  readonly level?: readonly string[];
  readonly test?: readonly string[];
  readonly all?: boolean;
  readonly timeout?: number;
  readonly seed?: number;
  readonly export?: string;
  readonly options?: string;
  readonly perf?: boolean;
  readonly report?: readonly string[];
  readonly markdown?: string;
  readonly json?: string;
}

const levelList = conformanceLevels.map(({ name, describe }) => `  ${name.padEnd(16)}${describe}`).join('\n');

const after = `
Levels, in the order in which they run:
${levelList}

Examples:
  lmd-conformance ./my-backend.js                       climb the levels; stop at the first that fails
  lmd-conformance ./my-backend.js --level operations    one level
  lmd-conformance ./my-backend.js --test "> exp" --seed 7
                                                        one test, with the values of a run that failed
  lmd-conformance ./my-backend.js --all --perf --report report.md

Exit codes: 0 every level passed, 1 a test failed or the backend cannot be created, 2 invalid command.
Set NO_COLOR=1 for plain text.`;

const collect = (value: string, before: readonly string[] = []): readonly string[] => [...before, value];

/** The program; its action is `run`. */
export function createProgram(
  run: (request: CommandRequest) => Promise<void>,
  write: { readonly out: (text: string) => void; readonly error: (text: string) => void },
): Command {
  return new Command('lmd-conformance')
    .description('Test a backend of @lmd/core, one level at a time.')
    .version(version)
    .argument('<backend>', 'a JavaScript file that exports create(), or the name of a package')
    .addOption(new Option('--level <name...>', 'run only these levels (default: all)').choices(conformanceLevelNames))
    .option('--test <text>', 'run only tests whose name contains this; may be repeated', collect)
    .option('--all', 'go on after a level that fails')
    .addOption(
      new Option('--timeout <seconds>', numberTable.timeout.describe)
        .argParser(Number)
        .default(numberTable.timeout.default),
    )
    .addOption(new Option('--seed <number>', numberTable.seed.describe).argParser(Number))
    .option('--export <name>', 'the function that creates the backend (default: create, or the default export)')
    .option('--options <json>', 'options that it is called with, such as \'{ "threads": 2 }\'')
    .option('--perf', 'measure the speed of operations beside the reference backend')
    .option('--report <file>', 'write a report: Markdown for .md, JSON for .json; may be repeated', collect)
    .option('--markdown <file>', 'write a report in Markdown')
    .option('--json <file>', 'write a report in JSON')
    .addHelpText('after', after)
    .configureOutput({ writeOut: write.out, writeErr: write.error })
    .showHelpAfterError('Run lmd-conformance --help for the options and levels.')
    .exitOverride()
    .action((specifier: string, given: Given) => run(requestOf(specifier, given)));
}

/** @throws LmdError naming the option, its value and what is allowed. */
function requestOf(specifier: string, given: Given): CommandRequest {
  const { timeout, seed } = given;
  const numbers = resolveOptions('lmd-conformance', numberTable, {
    ...(timeout === undefined ? {} : { timeout }),
    ...(seed === undefined ? {} : { seed }),
  });
  const reports = (given.report ?? []).map((file) => [file, formatOf(file)] as const);
  const named = (format: string, file: string | undefined) => [
    ...reports.filter(([, own]) => own === format).map(([path]) => path),
    ...(file === undefined ? [] : [file]),
  ];
  return {
    backend: { specifier, exportName: given.export, options: parsedOptions(given.options) },
    levels: (given.level as readonly ConformanceLevelName[] | undefined) ?? conformanceLevelNames,
    tests: given.test ?? [],
    all: given.all === true,
    seed: numbers.seed ?? Date.now(),
    timeout: numbers.timeout,
    perf: given.perf === true,
    markdown: named('markdown', given.markdown),
    json: named('json', given.json),
  };
}

function formatOf(file: string): 'markdown' | 'json' {
  if (/\.(md|markdown)$/i.test(file)) return 'markdown';
  if (/\.json$/i.test(file)) return 'json';
  throw new LmdError('INVALID_ARGUMENT', `--report is ${showValue(file)}.`, {
    subject: '--report',
    value: file,
    remedy: 'Use a name that ends in .md or .json, or --markdown or --json.',
  });
}

function parsedOptions(text: string | undefined): object {
  if (text === undefined) return {};
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // Refused below, like JSON that is no object.
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  throw new LmdError('INVALID_ARGUMENT', `--options is ${showValue(text)}.`, {
    subject: '--options',
    value: text,
    remedy: 'Use an object in JSON, such as \'{ "threads": 2 }\'.',
  });
}
