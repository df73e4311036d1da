import { randomBytes } from 'node:crypto';

/** The part of a writable stream that a command needs. */
export interface TerminalOutput {
  write(text: string): unknown;
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
}

/** Random marker of text that the program marked as verbatim; text from files or arguments cannot contain it. */
const secret = randomBytes(12).toString('hex');
const begin = `\u001b[${secret}<`;
const end = `>${secret}\u0007`;

const own = `\\u001b\\[${secret}<(?<text>[^]*?)>${secret}\\u0007`;
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters to find.
const controls = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/;

/**
 * Marks control characters of the program, such as those of a colour. `terminalOutput` writes them unchanged and
 * escapes all other control characters.
 */
export function verbatim(text: string): string {
  return `${begin}${text}${end}`;
}

/** The text without the parts marked by `verbatim`: the visible characters on a terminal. */
export function withoutVerbatim(text: string): string {
  return text.replace(new RegExp(own, 'g'), '');
}

/**
 * Escapes control characters (C0 except the newline, DEL and C1) as `\u001b` etc., so that a name or a message from a
 * file cannot move the cursor, set the clipboard or hide text. In JSON the escape represents the same character.
 */
export function escapeControls(text: string): string {
  return text.replace(new RegExp(`${own}|${controls.source}`, 'g'), (found, ...rest) => {
    const { text: marked } = rest.at(-1) as { readonly text?: string };
    return marked ?? `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}

/** A stream that escapes control characters, except those marked by `verbatim`. */
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
