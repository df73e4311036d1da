import type { Command } from 'commander';
import type { Terminal } from '../output/terminal.js';
import { wrapText } from '../output/wrap.js';

/** Ends the errors of each command with where its help is, and that of an unknown option with those that exist. */
export function addErrorHints(program: Command, error: Terminal['error']): void {
  for (const command of program.commands) {
    if (command.commands.length > 0) {
      addErrorHints(command, error);
      continue;
    }
    const options = command.options.map(({ long }) => long).join(', ');
    command.showHelpAfterError(`Run ${pathOf(command)} --help for its options and examples.`).configureOutput({
      outputError(text, write) {
        write(text);
        if (!text.startsWith('error: unknown option')) return;
        write(`${wrapText(`Options of ${pathOf(command)}: ${options}.`, error.columns)}\n`);
      },
    });
  }
}

/** `lmd data prepare`. */
function pathOf(command: Command): string {
  return command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`;
}
