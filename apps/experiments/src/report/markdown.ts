import { escapeControls } from '@lmd/training/node';
import type { Block, Report, Table } from './blocks.js';

/**
 * Text of a report in Markdown: names and notes of a study can make neither HTML nor links, and stay on their line. Emphasis and code are
 * the report's own.
 */
function escapeText(text: string): string {
  return escapeControls(text)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replace(/[[\]]/g, '\\$&')
    .replace(/\s*\n\s*/g, ' ');
}

function escapeCell(cell: string): string {
  return escapeText(cell).replaceAll('|', '\\|');
}

function renderTable({ columns, rows }: Table): string {
  const cells = [columns.map(({ title }) => title), ...rows].map((row) => row.map(escapeCell));
  const widths = columns.map((_, index) => Math.max(3, ...cells.map((row) => [...row[index]!].length)));
  const pad = (cell: string, index: number) => {
    const space = ' '.repeat(widths[index]! - [...cell].length);
    return columns[index]!.align === 'right' ? space + cell : cell + space;
  };
  const line = (row: readonly string[]) => `| ${row.map(pad).join(' | ')} |`;
  const rule = columns.map(({ align }, index) =>
    align === 'right' ? `${'-'.repeat(widths[index]! + 1)}:` : '-'.repeat(widths[index]! + 2),
  );
  return [line(cells[0]!), `|${rule.join('|')}|`, ...cells.slice(1).map(line)].join('\n');
}

function renderBlock(block: Block): string | undefined {
  switch (block.kind) {
    case 'heading':
      return `## ${escapeText(block.text)}`;
    case 'text':
      return escapeText(block.text);
    case 'list':
      return block.items.map((item) => `- ${escapeText(item)}`).join('\n');
    case 'table':
      return renderTable(block.table);
    case 'plot':
      return undefined;
  }
}

/** The report as Markdown, its tables aligned; plots are left to the HTML. */
export function renderMarkdown(report: Report): string {
  const parts = report.blocks.map(renderBlock).filter((part) => part !== undefined);
  return `# ${escapeText(report.title)}\n\n${parts.join('\n\n')}\n`;
}
