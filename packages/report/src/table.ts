import { markdownTable as render } from 'markdown-table';
import { html, type Markup } from './html.js';

export interface TableColumn {
  readonly title: string;
  readonly align: 'left' | 'right';
}

/** Cells are plain text. */
export interface Table {
  readonly columns: readonly TableColumn[];
  readonly rows: readonly (readonly string[])[];
}

/** A table whose first `leftColumns` columns are text, and the others numbers, aligned to the right. */
export function tableOf(titles: readonly string[], rows: Table['rows'], leftColumns = 1): Table {
  return { columns: titles.map((title, index) => ({ title, align: index < leftColumns ? 'left' : 'right' })), rows };
}

/**
 * Escapes text for Markdown: HTML, links, control characters, and what would end a cell or a line. Emphasis and code of
 * the report are kept.
 */
export function escapeMarkdown(text: string): string {
  return (
    text
      .replace(/\s*[\r\n]+\s*/g, ' ')
      // Unicode Cc (C0, DEL and C1), which a terminal interprets.
      .replace(/\p{Cc}/gu, '\ufffd')
      .replaceAll('&', '&amp;')
      .replaceAll('<', '&lt;')
      // What follows the text of a link: (address), [label] or a definition.
      .replace(/\](?=[([:])/g, '\\]')
  );
}

/** An aligned table in Markdown with escaped cells. */
export function markdownTable({ columns, rows }: Table): string {
  const cells = [columns.map(({ title }) => title), ...rows].map((row) =>
    row.map((cell) => escapeMarkdown(cell).replaceAll('|', '\\|')),
  );
  // Left is Markdown's default and needs no mark.
  const align = columns.map((column) => (column.align === 'right' ? 'right' : null));
  return render(cells, { align, stringLength: (cell) => [...cell].length });
}

/** Renders Markdown `code`; everything else is text, including an unmatched backtick. */
export function inlineCode(text: string): Markup {
  // The odd parts of the split are the captured groups.
  return html`${text.split(/`([^`]+)`/).map((part, index) => (index % 2 === 1 ? html`<code>${part}</code>` : part))}`;
}

export interface TableInPageOptions {
  /** Markup before the first cell of a row. */
  readonly lead?: (row: number) => Markup;
  /** On a narrow page, shows each row as a list of its cells with titles. Otherwise the table scrolls. */
  readonly stacked?: boolean;
}

/** The table in a page. */
export function tableInPage({ columns, rows }: Table, { lead, stacked = false }: TableInPageOptions = {}): Markup {
  const kind = (column: number) => (columns[column]!.align === 'right' ? 'number' : 'text');
  const head = columns.map(({ title }, column) => html`<th class="${kind(column)}">${inlineCode(title)}</th>`);
  const body = rows.map((row, index) => {
    const cells = row.map((cell, column) => {
      const before = column === 0 ? lead?.(index) : undefined;
      return html`<td class="${kind(column)}" data-title="${columns[column]!.title}">${before}${inlineCode(cell)}</td>`;
    });
    return html`<tr>${cells}</tr>\n`;
  });
  return html`<div class="scroll"><table${stacked ? html` class="stacked"` : undefined}><thead><tr>${head}</tr></thead><tbody>\n${body}</tbody></table></div>`;
}
