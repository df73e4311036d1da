import { escapeControls } from '@lmd/training/node';
import { displayWidth } from './wrap.js';

export interface Column<Row> {
  readonly title: string;
  readonly cell: (row: Row) => string;
  /** Default `left`. Use `right` for numbers. */
  readonly align?: 'left' | 'right';
}

export interface TableOptions {
  /** Styles the padded title. */
  readonly styleTitle?: (text: string) => string;
  /** Width of the terminal. A wider table is stacked. Undefined (a pipe): no limit. */
  readonly columns?: number | undefined;
}

/**
 * A table for a terminal: titles, a separator, and one line per row, each column as wide as its widest cell. If the
 * table is wider than the terminal, rows are stacked, with one line per cell after its title. Cells are plain text of
 * single-width characters.
 */
export function renderTable<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  { styleTitle = (text) => text, columns: available = Number.POSITIVE_INFINITY }: TableOptions = {},
): string {
  // A newline in a name would break the row.
  const cells = rows.map((row) => columns.map((column) => escapeControls(column.cell(row)).replaceAll('\n', '\\n')));
  const widths = columns.map(({ title }, index) =>
    cells.reduce((width, row) => Math.max(width, displayWidth(row[index]!)), displayWidth(title)),
  );
  const isWide = widths.reduce((sum, width) => sum + width, 2 * (widths.length - 1)) > available;
  if (isWide) return stacked(columns, cells, styleTitle);
  const padded = (text: string, index: number) => {
    const space = ' '.repeat(widths[index]! - displayWidth(text));
    return columns[index]!.align === 'right' ? space + text : text + space;
  };
  const lines = [
    columns.map((column, index) => styleTitle(padded(column.title, index))).join('  '),
    widths.map((width) => '─'.repeat(width)).join('──'),
    ...cells.map((row) => row.map(padded).join('  ').trimEnd()),
  ];
  return lines.join('\n');
}

/** One paragraph per row, without empty cells. */
function stacked<Row>(
  columns: readonly Column<Row>[],
  cells: readonly (readonly string[])[],
  styleTitle: (text: string) => string,
): string {
  const width = columns.reduce((most, { title }) => Math.max(most, displayWidth(title)), 0);
  return cells
    .map((row) =>
      columns
        .flatMap(({ title }, index) => (row[index] === '' ? [] : [`${styleTitle(title.padEnd(width))}  ${row[index]}`]))
        .join('\n'),
    )
    .join('\n\n');
}
