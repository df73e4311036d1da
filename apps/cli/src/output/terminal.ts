import { type TerminalOutput, terminalOutput, verbatim } from '@lmd/training/node';
import { type Colours, coloursFor, wantsColour } from './colours.js';

/** Where a command writes. Control characters in what it writes are escaped, but for its own. */
export interface Terminal {
  readonly out: TerminalOutput;
  readonly error: TerminalOutput;
  readonly colours: Colours;
  readonly errorColours: Colours;
}

export function processTerminal(): Terminal {
  const { stdout, stderr, env } = process;
  return {
    out: terminalOutput(stdout),
    error: terminalOutput(stderr),
    colours: coloursFor(wantsColour(stdout, env)),
    errorColours: coloursFor(wantsColour(stderr, env)),
  };
}

/** Takes the cursor to the beginning of the line and erases it. */
export const eraseLine = verbatim('\r\u001b[2K');

/** Text that may hold tabs, as generated text does. */
export function withTabs(text: string): string {
  return text.replaceAll('\t', verbatim('\t'));
}

/** Sends what libraries print to standard error, so that standard output holds JSON lines and nothing else. */
export function keepStandardOutputClean(): void {
  console.log = console.error;
  console.info = console.error;
  console.debug = console.error;
}
