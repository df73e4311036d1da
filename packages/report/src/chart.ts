import { frame } from './frame.js';
import { html, Markup } from './html.js';
import { chartStyle } from './style.js';

export interface LegendEntry {
  readonly label: string;
  /** Class that colours the key: `series-0`, `prior`. */
  readonly className: string;
  readonly kind: 'line' | 'dashed' | 'triangle' | 'area';
}

/** A rendered chart: the contents of its frame and its legend. */
export interface Chart {
  /** For screen readers. */
  readonly label: string;
  readonly legend: readonly LegendEntry[];
  readonly content: Markup;
}

/** The key of a legend entry, 28 wide and 14 high. */
function legendKey({ className, kind }: LegendEntry): Markup {
  if (kind === 'area') return html`<rect class="area ${className}" x="2" y="2" width="24" height="10"/>`;
  if (kind === 'triangle') return html`<path class="triangle ${className}" d="M14 12l-5 -9h10Z"/>`;
  return html`<line class="line ${kind} ${className}" x1="1" x2="27" y1="7" y2="7"/>`;
}

/** The chart in a page. Its legend is HTML above the drawing, so that it wraps on narrow screens. */
export function chartInPage({ label, legend, content }: Chart): Markup {
  const items = legend.map(
    (entry) => html`<li><svg width="28" height="14" aria-hidden="true">${legendKey(entry)}</svg>${entry.label}</li>`,
  );
  const { width, height } = frame;
  return html`<ul class="legend">${items}</ul><svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${label}">${content}</svg>`;
}

const rowHeight = 22;

/** The chart as a separate SVG file that includes its style and legend. */
export function chartFile({ label, legend, content }: Chart): string {
  const above = 12 + rowHeight * legend.length;
  const height = above + frame.height;
  const rows = legend.map((entry, row) => {
    const text = html`<text x="36" y="11.5">${entry.label}</text>`;
    return html`<g transform="translate(${frame.left} ${12 + rowHeight * row})">${legendKey(entry)}${text}</g>`;
  });
  const style = new Markup(`${chartStyle}svg text { font-family: system-ui, "DejaVu Sans", sans-serif; }`);
  const size = html`width="${frame.width}" height="${height}" viewBox="0 0 ${frame.width} ${height}"`;
  return `${
    html`<svg xmlns="http://www.w3.org/2000/svg" ${size} role="img" aria-label="${label}"><style>${style}</style>
<rect width="${frame.width}" height="${height}" rx="10" style="fill: var(--card)"/>
${rows}
<g transform="translate(0 ${above})">${content}</g></svg>`.text
  }\n`;
}
