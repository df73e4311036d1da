import { verbatim } from '@lmd/training/node';

export interface Colours {
  bold(text: string): string;
  dim(text: string): string;
  red(text: string): string;
  green(text: string): string;
  yellow(text: string): string;
  cyan(text: string): string;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Whether to write colour codes: on a terminal that can show them, unless NO_COLOR is set (https://no-color.org). */
export function wantsColour(stream: { readonly isTTY?: boolean | undefined }, environment: Environment): boolean {
  if (environment.NO_COLOR !== undefined && environment.NO_COLOR !== '') return false;
  return stream.isTTY === true && environment.TERM !== 'dumb';
}

/** ANSI styles, which `terminalOutput` writes unescaped, or the identity if colours are off. */
export function coloursFor(enabled: boolean): Colours {
  const style = (open: number, close: number) => (text: string) =>
    enabled ? `${verbatim(`\u001b[${open}m`)}${text}${verbatim(`\u001b[${close}m`)}` : text;
  return {
    bold: style(1, 22),
    dim: style(2, 22),
    red: style(31, 39),
    green: style(32, 39),
    yellow: style(33, 39),
    cyan: style(36, 39),
  };
}
