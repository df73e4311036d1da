import { verbatim } from '@lmd/training/node';
import picocolors from 'picocolors';

const styles = ['bold', 'dim', 'red', 'green', 'yellow', 'cyan'] as const;

export type Colours = { readonly [style in (typeof styles)[number]]: (text: string) => string };

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Whether to write colour codes: on a terminal that can show them, unless NO_COLOR is set (https://no-color.org).
 * picocolors decides for standard output alone; the command writes to standard error too.
 */
export function wantsColour(stream: { readonly isTTY?: boolean | undefined }, environment: Environment): boolean {
  if (environment.NO_COLOR !== undefined && environment.NO_COLOR !== '') return false;
  return stream.isTTY === true && environment.TERM !== 'dumb';
}

/** ANSI styles of picocolors, which `terminalOutput` writes unescaped, or the identity if colours are off. */
export function coloursFor(enabled: boolean): Colours {
  const palette = picocolors.createColors(enabled);
  return Object.fromEntries(
    styles.map((style) => {
      // The codes alone, which are marked, around a text that is escaped.
      const [open, close] = palette[style]('\n')
        .split('\n')
        .map((code) => (code === '' ? '' : verbatim(code)));
      return [style, (text: string) => `${open}${text}${close}`];
    }),
  ) as Colours;
}
