import { markdownTable as render } from 'markdown-table';
import { html, type Markup } from './html.js';

export interface TableColumn {
  readonly title: string;
  readonly align: 'left' | 'right';
}

/** Cells are text, shown as it is. */
export interface Table {
  readonly columns: readonly TableColumn[];
  readonly rows: readonly (readonly string[])[];
}

/** A table whose first `leftColumns` columns are text, and the others numbers, aligned to the right. */
export function tableOf(titles: readonly string[], rows: Table['rows'], leftColumns = 1): Table {
  return { columns: titles.map((title, index) => ({ title, align: index < leftColumns ? 'left' : 'right' })), rows };
}

/** Text that Markdown shows as it is: no HTML, and no cell or line that ends early. */
export function escapeMarkdown(text: string): string {
  return text.replace(/[\r\n]+/g, ' ').replace(/[<>]/g, (character) => (character === '<' ? '&lt;' : '&gt;'));
}

/** An aligned table in Markdown; what a cell holds is escaped. */
export function markdownTable({ columns, rows }: Table): string {
  const cells = [columns.map(({ title }) => title), ...rows].map((row) =>
    row.map((cell) => escapeMarkdown(cell).replaceAll('|', '\\|')),
  );
  // Left is Markdown's default, without a mark.
  const align = columns.map((column) => (column.align === 'right' ? 'right' : null));
  return render(cells, { align, stringLength: (cell) => [...cell].length });
}

/** `code` of Markdown as code; everything else is text, a backtick without its twin too. */
export function inlineCode(text: string): Markup {
  // The odd parts of the split are what the parentheses matched.
  return html`${text.split(/`([^`]+)`/).map((part, index) => (index % 2 === 1 ? html`<code>${part}</code>` : part))}`;
}

/** The table in a page, within what scrolls where the page is narrow. `lead` stands before the first cell of a row. */
export function tableInPage({ columns, rows }: Table, lead?: (row: number) => Markup): Markup {
  const kind = (column: number) => (columns[column]!.align === 'right' ? 'number' : 'text');
  const head = columns.map(({ title }, column) => html`<th class="${kind(column)}">${inlineCode(title)}</th>`);
  const body = rows.map((row, index) => {
    const cells = row.map((cell, column) => {
      const before = column === 0 ? lead?.(index) : undefined;
      return html`<td class="${kind(column)}">${before}${inlineCode(cell)}</td>`;
    });
    return html`<tr>${cells}</tr>\n`;
  });
  return html`<div class="scroll"><table><thead><tr>${head}</tr></thead><tbody>\n${body}</tbody></table></div>`;
}
