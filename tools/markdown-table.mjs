const width = (cell) => [...cell].length;

/**
 * An aligned Markdown table.
 *
 * @param columns titles; one that begins with `>` is aligned to the right.
 */
export function markdownTable(columns, rows) {
  const right = columns.map((title) => title.startsWith('>'));
  const cells = [columns.map((title) => title.replace('>', '')), ...rows].map((row) =>
    row.map((cell) => String(cell).replaceAll('|', '\\|')),
  );
  const widths = columns.map((_, index) => Math.max(3, ...cells.map((row) => width(row[index]))));
  const pad = (cell, index) => {
    const space = ' '.repeat(widths[index] - width(cell));
    return right[index] ? space + cell : cell + space;
  };
  const line = (row) => `| ${row.map(pad).join(' | ')} |`;
  const rule = widths.map((each, index) => (right[index] ? `${'-'.repeat(each + 1)}:` : '-'.repeat(each + 2)));
  return [line(cells[0]), `|${rule.join('|')}|`, ...cells.slice(1).map(line)].join('\n');
}
