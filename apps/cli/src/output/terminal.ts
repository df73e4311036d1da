import { type TerminalOutput, terminalOutput, verbatim } from '@lmd/training/node';
import { type Colours, coloursFor, wantsColour } from './colours.js';

/** The outputs of a command. Control characters in its output are escaped, except for its own. */
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

/** Moves the cursor to the start of the line and erases the line. */
export const eraseLine = verbatim('\r\u001b[2K');

/** Keeps tabs unescaped, for generated text. */
export function withTabs(text: string): string {
  return text.replaceAll('\t', verbatim('\t'));
}

/** Redirects the output of libraries to standard error, so that standard output has only JSON lines. */
export function keepStandardOutputClean(): void {
  console.log = console.error;
  console.info = console.error;
  console.debug = console.error;
}
