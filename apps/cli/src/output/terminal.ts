import { type Colours, coloursFor, wantsColour } from './colours.js';
import type { Output } from './renderer.js';

/** Where a command writes. */
export interface Terminal {
  readonly out: Output;
  readonly error: Output;
  readonly colours: Colours;
  readonly errorColours: Colours;
}

export function processTerminal(): Terminal {
  const { stdout, stderr, env } = process;
  return {
    out: stdout,
    error: stderr,
    colours: coloursFor(wantsColour(stdout, env)),
    errorColours: coloursFor(wantsColour(stderr, env)),
  };
}

/** Sends what libraries print to standard error, so that standard output holds JSON lines and nothing else. */
export function keepStandardOutputClean(): void {
  console.log = console.error;
  console.info = console.error;
  console.debug = console.error;
}
