import { CommanderError } from 'commander';
import { describeError, exitCodeOf, exitCodes, serializeError } from './errors.js';
import { processTerminal } from './output/terminal.js';
import { createProgram } from './program.js';

/**
 * Runs one command line and gives its exit code.
 *
 * @param words the arguments, without node and the program.
 * @param bin the path of the program itself, for child processes.
 */
export async function main(words: readonly string[], bin: string): Promise<number> {
  const terminal = processTerminal();
  // The terminal has closed: SIGHUP is on its way, by which what is done is saved; nobody reads what is said of it.
  process.stderr.on('error', () => {});
  // Whoever read the output has gone (`| head`): nothing more is wanted, and what is written so far can be resumed.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(exitCodes.failure);
    if (error.code !== 'EIO') throw error;
  });
  const program = createProgram(terminal, bin);
  try {
    if (words.length === 0) program.help();
    await program.parseAsync(words, { from: 'user' });
    return Number(process.exitCode ?? exitCodes.success);
  } catch (error) {
    // Commander has printed what it has to say, help and version included.
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.success : exitCodes.usage;
    if (words.includes('--json')) {
      const { code, message, subject } = serializeError(error);
      terminal.out.write(`${JSON.stringify({ type: 'error', code, subject, message })}\n`);
    }
    const exitCode = exitCodeOf(error);
    const text = describeError(error, process.env.LMD_DEBUG === '1');
    const { red, yellow } = terminal.errorColours;
    const stopped = exitCode === exitCodes.interrupted;
    terminal.error.write(stopped ? `${yellow(text)}\n` : `${red('error')} ${text}\n`);
    return exitCode;
  }
}
