import { LmdError } from '@lmd/core';
import { CommanderError } from 'commander';
import { describeError, exitCodeOf, exitCodes, serializeError } from './errors.js';
import { jsonLine } from './output/json.js';
import { processTerminal } from './output/terminal.js';
import { wrapText } from './output/wrap.js';
import { createProgram } from './program.js';
import { settled } from './settled.js';

/**
 * Runs one command line and gives its exit code.
 *
 * @param words the arguments, without node and the program.
 * @param bin the path of the program itself, for child processes.
 */
export async function main(words: readonly string[], bin: string): Promise<number> {
  const terminal = processTerminal();
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      // The reader of the output has closed it (`| head`): stop. What is written so far can be resumed.
      if (error.code === 'EPIPE') process.exit(exitCodes.failure);
      // The terminal is closed. SIGHUP arrives too, so the step is finished and saved.
      if (error.code !== 'EIO') throw error;
    });
  }
  const program = createProgram(terminal, bin);
  try {
    if (words.length === 0) program.help();
    await settled(program.parseAsync(words, { from: 'user' }), stalled);
    return Number(process.exitCode ?? exitCodes.success);
  } catch (error) {
    if (error instanceof CommanderError) {
      // Commander has already printed its message, help and version included.
      if (error.exitCode === 0) return exitCodes.success;
      const message = error.message.replace(/^error: /, '');
      if (words.includes('--json')) terminal.out.write(jsonLine({ type: 'error', code: 'INVALID_ARGUMENT', message }));
      return exitCodes.usage;
    }
    if (words.includes('--json')) {
      const { code, message, subject } = serializeError(error);
      terminal.out.write(jsonLine({ type: 'error', code, subject, message }));
    }
    const exitCode = exitCodeOf(error);
    const debug = process.env.LMD_DEBUG === '1';
    const text = describeError(error, debug);
    const { red, yellow } = terminal.errorColours;
    const stopped = exitCode === exitCodes.interrupted;
    const shown = stopped ? yellow(text) : `${red('error')} ${text}`;
    // A stack trace has one line per call, and is not wrapped.
    terminal.error.write(`${debug ? shown : wrapText(shown, terminal.error.columns)}\n`);
    return exitCode;
  }
}

function stalled(): LmdError {
  return new LmdError('PLUGIN_FAILURE', 'The command waits for a promise that is never settled.', {
    subject: 'command',
    remedy: 'Check the modules of the configuration: each function must return or settle its promise.',
  });
}
