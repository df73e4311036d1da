import type { Terminal } from './terminal.js';

/** Prints notes, such as those about how the weights of a model are read. */
export function writeNotes({ notes }: { readonly notes: readonly string[] }, { error, errorColours }: Terminal): void {
  for (const note of notes) error.write(`${errorColours.yellow('note')} ${note}\n`);
}
