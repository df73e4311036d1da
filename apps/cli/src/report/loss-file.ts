import { frame, legendKey } from './axes.js';
import { type LossCurve, lossPlot } from './curves.js';
import { html, Markup } from './html.js';
import { drawingStyle } from './style.js';

const rowHeight = 22;

/**
 * The report's loss chart as an SVG file of its own, with its style and its legend inside, for a page that shows several runs: the
 * loss of training batches, their moving average, and validation and test loss.
 *
 * @param curves one for each rule, with losses in nats by optimizer step.
 */
export function renderLossCurves(curves: readonly LossCurve[]): string {
  const { keys, content } = lossPlot(curves);
  const above = 12 + rowHeight * keys.length;
  const height = above + frame.height;
  const rows = keys.map(
    (entry, row) =>
      html`<g transform="translate(${frame.left} ${12 + rowHeight * row})">${legendKey(entry)}<text x="36" y="11.5">${entry.label}</text></g>`,
  );
  const style = new Markup(`${drawingStyle}svg text { font-family: system-ui, "DejaVu Sans", sans-serif; }`);
  return `${
    html`<svg xmlns="http://www.w3.org/2000/svg" width="${frame.width}" height="${height}" viewBox="0 0 ${frame.width} ${height}" role="img" aria-label="Loss by optimizer step"><style>${style}</style>
<rect width="${frame.width}" height="${height}" rx="10" style="fill: var(--card)"/>
${rows}
<g transform="translate(0 ${above})">${content}</g></svg>`.text
  }\n`;
}
