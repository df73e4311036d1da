import { markdownTable } from '@lmd/report';

/**
 * An aligned table in Markdown.
 *
 * @param {readonly string[]} titles one that begins with `>` is aligned to the right.
 * @param {readonly (readonly unknown[])[]} rows
 */
export function tableOf(titles, rows) {
  return markdownTable({
    columns: titles.map((title) => ({
      title: title.replace('>', ''),
      align: title.startsWith('>') ? 'right' : 'left',
    })),
    rows: rows.map((row) => row.map(String)),
  });
}
