import { html, Markup } from './html.js';
import { pageStyle } from './style.js';

/** A self-contained HTML page with inline style and no scripts. */
export function page(title: string, body: Markup): string {
  return html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title><style>${new Markup(pageStyle)}</style></head><body><main>
${body}
</main></body></html>
`.text;
}

/** Terms and their values in two columns. */
export function facts(entries: readonly (readonly [string, string])[]): Markup {
  return html`<dl>${entries.map(([term, value]) => html`<dt>${term}</dt><dd>${value}</dd>`)}</dl>`;
}
