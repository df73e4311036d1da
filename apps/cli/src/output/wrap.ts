import { withoutVerbatim } from '@lmd/training/node';

/** Width of a text in columns: one per character, without colour codes. */
export function displayWidth(text: string): number {
  return [...withoutVerbatim(text)].length;
}

/**
 * Wraps lines that are wider than the terminal between words. Continuation lines are indented like the line itself plus
 * `indent`. A word that is wider than a line is not broken, so that paths can be copied.
 *
 * @param columns width of the terminal; undefined if the output is not a terminal, and nothing is wrapped.
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
