import { randomBytes } from 'node:crypto';

/** The part of a writable stream that a command needs. */
export interface TerminalOutput {
  write(text: string): unknown;
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
}

/** Names what a program itself marked. Text from a file or an argument cannot forge it. */
const secret = randomBytes(12).toString('hex');
const begin = `\u001b[${secret}<`;
const end = `>${secret}\u0007`;

const own = `\\u001b\\[${secret}<(?<text>[^]*?)>${secret}\\u0007`;
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters to find.
const controls = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/;

/**
 * Marks control characters that a program means to write, such as those of a colour: `terminalOutput` writes them as
 * they are, where all other control characters are escaped.
 */
export function verbatim(text: string): string {
  return `${begin}${text}${end}`;
}

/** The same text without what `verbatim` marked: what takes up columns on a terminal. */
export function withoutVerbatim(text: string): string {
  return text.replace(new RegExp(own, 'g'), '');
}

/**
 * Escapes control characters (C0 but for the newline, DEL and C1) as `\u001b` and the like, so that a name or a message
 * from a file cannot move the cursor, set the clipboard or hide text. In JSON the escape means the same character.
 */
export function escapeControls(text: string): string {
  return text.replace(new RegExp(`${own}|${controls.source}`, 'g'), (found, ...rest) => {
    const { text: marked } = rest.at(-1) as { readonly text?: string };
    return marked ?? `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}

/** A stream to which text goes with its control characters escaped, but for those that `verbatim` marks. */
export function terminalOutput(stream: TerminalOutput): TerminalOutput {
  return {
    write: (text) => stream.write(escapeControls(text)),
    get isTTY() {
      return stream.isTTY;
    },
    get columns() {
      return stream.columns;
    },
  };
}
