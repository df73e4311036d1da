import { writeFileSync } from 'node:fs';
import { isLmdError, LmdError, messageOf } from '@lmd/core';
import { CommanderError } from 'commander';
import picocolors from 'picocolors';
import { version } from '../../package.json';
import { closingTest } from '../plan.js';
import { type ClimbResult, climb } from './climb.js';
import { locateBackend } from './load-backend.js';
import { type CommandRequest, createProgram } from './program.js';
import { jsonReport, markdownReport } from './report.js';
import { levelTable, oneLine, speedTable } from './tables.js';
import { openTestHost } from './test-process.js';

/** Exit codes: every level passed; a test failed, or the backend cannot be created; the command is invalid. */
export const exitCodes = { passed: 0, failed: 1, usage: 2 } as const;

/** Failures of a level that are shown; the reports have all. */
const shownFailures = 5;

const hasColour = (stream: NodeJS.WriteStream) =>
  stream.isTTY === true && (process.env.NO_COLOR ?? '') === '' && process.env.TERM !== 'dumb';

const print = (text: string) => void process.stdout.write(`${text}\n`);

/** One line on a terminal that is drawn anew. */
const status = {
  show(text: string) {
    if (process.stderr.isTTY) process.stderr.write(`\r\u001b[2K${text.slice(0, (process.stderr.columns ?? 80) - 1)}`);
  },
  clear() {
    if (process.stderr.isTTY) process.stderr.write('\r\u001b[2K');
  },
};

/**
 * Runs one command line and gives its exit code.
 *
 * @param words the arguments, without node and the program.
 * @param bin the path of the program itself, for test processes.
 */
export async function main(words: readonly string[], bin: string): Promise<number> {
  // The `exit` event then ends the test process as well.
  process.once('SIGINT', () => process.exit(130));
  process.once('SIGTERM', () => process.exit(143));
  let code: number = exitCodes.passed;
  const program = createProgram(
    async (request) => {
      code = await run(request, bin);
    },
    { out: (text) => void process.stdout.write(text), error: (text) => void process.stderr.write(text) },
  );
  try {
    await program.parseAsync(words, { from: 'user' });
    return code;
  } catch (error) {
    // Commander has printed its message already, help and version included.
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.passed : exitCodes.usage;
    if (!isLmdError(error)) throw error;
    const { red } = picocolors.createColors(hasColour(process.stderr));
    process.stderr.write(`${red('error')} ${oneLine(error.message)}\n`);
    return exitCodes.usage;
  }
}

async function run(request: CommandRequest, bin: string): Promise<number> {
  const { bold, green, red, dim } = picocolors.createColors(hasColour(process.stdout));
  const { specifier } = request.backend;
  locateBackend(specifier, process.cwd());
  const host = openTestHost(bin);
  let result: ClimbResult;
  try {
    status.show(`starting ${specifier}`);
    result = await climb(host, request, {
      onTest: (level, test, done, total) => status.show(`${level} ${done + 1}/${total}  ${test}`),
      onLevel({ name, state, outcomes, tests, seconds, note }) {
        status.clear();
        const failed = outcomes.filter(({ passed }) => !passed);
        const counts = `${outcomes.length - failed.length} of ${tests} tests passed in ${seconds.toFixed(1)} s`;
        print(`${state === 'passed' ? green('passed') : red('failed')} ${bold(name)}: ${counts}`);
        for (const { name: test, message } of failed.slice(0, shownFailures)) {
          print(`  ${bold(test)}: ${oneLine(message ?? '')}`);
        }
        if (failed.length > shownFailures) print(dim(`  and ${failed.length - shownFailures} more`));
        if (note !== undefined) print(`  ${note}.`);
      },
    });
  } finally {
    status.clear();
    host.close();
  }
  const { levels, problem, seed, speed } = result;
  if (levels.length === 0) {
    throw new LmdError('INVALID_ARGUMENT', '--test selects no test of these levels.', {
      subject: '--test',
      value: request.tests,
      remedy: 'Use a part of a name that a failure shows, such as "elementwise > exp".',
    });
  }
  if (problem === undefined || levels.some(({ outcomes }) => outcomes.length > 0)) print(`\n${levelTable(levels)}`);
  if (speed.length > 0) print(`\n${speedTable(speed)}`);
  writeReports(request, result);
  if (problem !== undefined) {
    print(`\n${red('The backend cannot be tested')}: ${oneLine(problem.message)}`);
    return problem.usage ? exitCodes.usage : exitCodes.failed;
  }
  const failed = levels.find(({ state }) => state === 'failed');
  if (failed === undefined) {
    print(
      `\n${green('conforms')}: ${levels.length === 1 ? 'the level' : `all ${levels.length} levels`} (seed ${seed})`,
    );
    return exitCodes.passed;
  }
  const test = failed.outcomes.find(({ passed }) => !passed)?.name;
  // What closes the backend is no test that --test selects.
  const selection = test === closingTest ? `--level ${failed.name}` : `--test ${JSON.stringify(test)}`;
  const again = test === undefined ? '' : `lmd-conformance ${specifier} --seed ${seed} ${selection}`;
  print(`\n${red('does not conform')}: fails at ${failed.name} (seed ${seed})\n${dim(again)}`);
  return exitCodes.failed;
}

function writeReports({ markdown, json }: CommandRequest, result: ClimbResult): void {
  const context = { version, date: new Date() };
  const texts = [
    ...markdown.map((file) => [file, markdownReport(result, context)] as const),
    ...json.map((file) => [file, jsonReport(result, context)] as const),
  ];
  for (const [file, text] of texts) {
    try {
      writeFileSync(file, text);
    } catch (cause) {
      throw new LmdError('FILE_SYSTEM', `The report ${file} cannot be written: ${messageOf(cause)}.`, {
        subject: file,
        remedy: 'Use another path.',
        cause,
      });
    }
    print(`wrote ${file}`);
  }
}
