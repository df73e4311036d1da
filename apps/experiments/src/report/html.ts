import type { Block, Report, Table } from './blocks.js';
import { escapeHtml } from './escape.js';
import { renderPlot } from './svg.js';

/** Escaped text in which `code` of Markdown is code. */
function inline(text: string): string {
  return escapeHtml(text).replace(/`([^`]+)`/g, '<code>$1</code>');
}

const style = `
:root { color-scheme: light dark; --page: #fff; --text: #1b1e23; --muted: #5c6470; --rule: #dfe2e6;
  --s0: #0072b2; --s1: #d55e00; --s2: #00805f; --s3: #a5508b; --s4: #8a6d00; --s5: #4a4f57; --s6: #d01c1c; --s7: #3f7fb5; }
@media (prefers-color-scheme: dark) { :root { --page: #14161a; --text: #e8eaed; --muted: #a0a7b3; --rule: #30353d;
  --s0: #56b4e9; --s1: #f0914a; --s2: #3cc49c; --s3: #d999c4; --s4: #e0c34a; --s5: #c9ced6; --s6: #ff7b72; --s7: #9cc7ee; } }
body { margin: 0; background: var(--page); color: var(--text); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 1060px; margin: 0 auto; padding: 32px 20px 64px; }
h1 { line-height: 1.2; } h2 { margin-top: 2.2em; }
p, li { max-width: 86ch; } .scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: 0.9rem; }
th, td { text-align: left; padding: 5px 14px 5px 0; border-bottom: 1px solid var(--rule); white-space: nowrap; }
.number { text-align: right; font-variant-numeric: tabular-nums; }
figure { margin: 20px 0; } figcaption { font-weight: 600; }
svg { width: 100%; height: auto; } svg text { fill: var(--muted); font-size: 13px; }
.grid { stroke: var(--rule); } .legend { display: flex; flex-wrap: wrap; gap: 2px 20px; list-style: none; padding: 0; font-size: 0.88rem; }
.line { fill: none; stroke-width: 2; }
${[0, 1, 2, 3, 4, 5, 6, 7]
  .map(
    (index) =>
      `.s${index} { stroke: var(--s${index}); } .f${index} { fill: var(--s${index}); color: var(--s${index}); }`,
  )
  .join('\n')}
`;

function renderTable({ columns, rows }: Table): string {
  const cell = (tag: string) => (text: string, index: number) =>
    `<${tag} class="${columns[index]!.align === 'right' ? 'number' : 'text'}">${inline(text)}</${tag}>`;
  const head = columns.map(({ title }, index) => cell('th')(title, index)).join('');
  const body = rows.map((row) => `<tr>${row.map(cell('td')).join('')}</tr>`).join('\n');
  return `<div class="scroll"><table><thead><tr>${head}</tr></thead><tbody>\n${body}\n</tbody></table></div>`;
}

function renderBlock(block: Block): string {
  switch (block.kind) {
    case 'heading':
      return `<h2>${inline(block.text)}</h2>`;
    case 'text':
      return `<p>${inline(block.text)}</p>`;
    case 'list':
      return `<ul>${block.items.map((item) => `<li>${inline(item)}</li>`).join('')}</ul>`;
    case 'table':
      return renderTable(block.table);
    case 'plot':
      return renderPlot(block.plot);
  }
}

/** The report as one HTML page: style and drawings inside, no script, and nothing fetched. */
export function renderHtml(report: Report): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(report.title)}</title><style>${style}</style></head><body><main>
<h1>${escapeHtml(report.title)}</h1>
${report.blocks.map(renderBlock).join('\n')}
</main></body></html>
`;
}
