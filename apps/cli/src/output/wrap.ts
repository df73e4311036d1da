import { withoutVerbatim } from '@lmd/training/node';

/** Columns that a text takes: one a character, colours none. */
export function displayWidth(text: string): number {
  return [...withoutVerbatim(text)].length;
}

/**
 * Breaks lines that are wider than the terminal between words. What follows a break is indented as the line itself and
 * by `indent` more. A word that is wider than a line stays whole: a path can then still be copied.
 *
 * @param columns of the terminal; undefined where the output is none, and nothing is broken.
 */
export function wrapText(text: string, columns: number | undefined, indent = 2): string {
  if (columns === undefined) return text;
  return text
    .split('\n')
    .map((line) => wrapLine(line, columns, indent))
    .join('\n');
}

function wrapLine(line: string, columns: number, indent: number): string {
  if (displayWidth(line) <= columns) return line;
  const leading = /^ */.exec(line)![0].length;
  const margin = ' '.repeat(Math.min(leading + indent, Math.floor(columns / 2)));
  const lines: string[] = [];
  let current = line.slice(0, leading);
  let isEmpty = true;
  for (const word of line.slice(leading).split(' ')) {
    if (!isEmpty && displayWidth(current) + 1 + displayWidth(word) > columns) {
      lines.push(current);
      current = margin + word;
    } else current += isEmpty ? word : ` ${word}`;
    isEmpty = false;
  }
  return [...lines, current].join('\n');
}
