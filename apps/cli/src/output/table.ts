export interface Column<Row> {
  readonly title: string;
  readonly cell: (row: Row) => string;
  /** Default `left`; numbers read best from the right. */
  readonly align?: 'left' | 'right';
}

/**
 * A table for a terminal: titles, a rule, and one line a row, each column as wide as its widest cell. Cells hold plain text
 * of single-width characters; `styleTitle` may colour the padded title.
 */
export function renderTable<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  styleTitle: (text: string) => string = (text) => text,
): string {
  const cells = rows.map((row) => columns.map((column) => column.cell(row)));
  const widths = columns.map((column, index) =>
    Math.max(column.title.length, ...cells.map((row) => row[index]!.length)),
  );
  const padded = (text: string, index: number) =>
    columns[index]!.align === 'right' ? text.padStart(widths[index]!) : text.padEnd(widths[index]!);
  const lines = [
    columns.map((column, index) => styleTitle(padded(column.title, index))).join('  '),
    widths.map((width) => '─'.repeat(width)).join('──'),
    ...cells.map((row) => row.map(padded).join('  ').trimEnd()),
  ];
  return lines.join('\n');
}
