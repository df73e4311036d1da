import { type Chart, chartInPage } from './chart.js';
import { html, type Markup } from './html.js';
import { page } from './page.js';
import { escapeMarkdown, inlineCode, markdownTable, type Table, tableInPage } from './table.js';

/**
 * A block of a report, rendered to Markdown and to HTML. A chart is only in the HTML, unless it has a file: Markdown
 * shows that, which the caller writes (`chartFile`).
 */
export type Block =
  | { readonly kind: 'heading'; readonly text: string }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'list'; readonly items: readonly string[] }
  | { readonly kind: 'table'; readonly table: Table }
  | { readonly kind: 'chart'; readonly title: string; readonly chart: Chart; readonly file?: string };

export interface Report {
  readonly title: string;
  readonly blocks: readonly Block[];
}

function blockInMarkdown(block: Block): string | undefined {
  switch (block.kind) {
    case 'heading':
      return `## ${escapeMarkdown(block.text)}`;
    case 'text':
      return escapeMarkdown(block.text);
    case 'list':
      return block.items.map((item) => `- ${escapeMarkdown(item)}`).join('\n');
    case 'table':
      return markdownTable(block.table);
    case 'chart':
      return block.file === undefined ? undefined : `![${escapeMarkdown(block.title)}](${block.file})`;
  }
}

/** The report as Markdown with aligned tables, and the charts that have a file. */
export function reportInMarkdown({ title, blocks }: Report): string {
  const parts = blocks.map(blockInMarkdown).filter((part) => part !== undefined);
  return `# ${escapeMarkdown(title)}\n\n${parts.join('\n\n')}\n`;
}

function blockInPage(block: Block): Markup {
  switch (block.kind) {
    case 'heading':
      return html`<h2>${inlineCode(block.text)}</h2>`;
    case 'text':
      return html`<p>${inlineCode(block.text)}</p>`;
    case 'list':
      return html`<ul>${block.items.map((item) => html`<li>${inlineCode(item)}</li>`)}</ul>`;
    case 'table':
      return tableInPage(block.table);
    case 'chart':
      return html`<figure><figcaption>${block.title}</figcaption>${chartInPage(block.chart)}</figure>`;
  }
}

/** Groups the blocks under one heading into a section. */
function sections(blocks: readonly Block[]): Markup[] {
  const groups: Block[][] = [];
  for (const block of blocks) {
    if (block.kind === 'heading' || groups.length === 0) groups.push([]);
    groups.at(-1)!.push(block);
  }
  return groups.map((group) => html`<section>${group.map(blockInPage)}</section>\n`);
}

/** The report as one HTML page. */
export function reportInPage({ title, blocks }: Report): string {
  return page(title, html`<header><h1>${title}</h1></header>\n${sections(blocks)}`);
}
