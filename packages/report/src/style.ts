/** Number of distinct series colours; later series repeat them. */
export const seriesColors = 8;

const series = Array.from({ length: seriesColors }, (_, index) => index);

/**
 * Style of charts, in a page and in a separate SVG file. The first series colours are the blue, vermilion, green and
 * purple of Okabe & Ito, which are distinguishable with any colour vision, with lighter variants for dark mode.
 */
export const chartStyle = `
:root { color-scheme: light dark;
  --page: #fbfbfa; --card: #ffffff; --text: #1b1e23; --muted: #5c6470; --rule: #e3e5e8; --grid: #eceef0;
  --series-0: #0072b2; --series-1: #d55e00; --series-2: #00805f; --series-3: #a5508b;
  --series-4: #8a6d00; --series-5: #3f7fb5; --series-6: #b5372a; --series-7: #4a4f57; --prior: #5c6470; }
@media (prefers-color-scheme: dark) { :root {
  --page: #14161a; --card: #1b1e24; --text: #e8eaed; --muted: #a0a7b3; --rule: #30353d; --grid: #282c33;
  --series-0: #56b4e9; --series-1: #f0914a; --series-2: #3cc49c; --series-3: #d999c4;
  --series-4: #e0c34a; --series-5: #9cc7ee; --series-6: #f28b82; --series-7: #c9ced6; --prior: #a0a7b3; } }
svg text { fill: var(--muted); font-size: 13px; }
svg .title { fill: var(--text); }
.grid { stroke: var(--grid); } .tick, .base { stroke: var(--muted); }
.line { fill: none; stroke-width: 2; stroke-linejoin: round; stroke-linecap: round; }
.faint { stroke-width: 1; opacity: 0.28; } .dashed { stroke-width: 1.6; stroke-dasharray: 5 4; }
.area { stroke: none; fill-opacity: 0.22; }
.point, .star { stroke: var(--card); stroke-width: 1.2; }
${series
  .map((index) => {
    const color = `var(--series-${index})`;
    return [
      `.line.series-${index} { stroke: ${color}; } .swatch.series-${index} { background: ${color}; }`,
      `.point.series-${index}, .star.series-${index}, .area.series-${index} { fill: ${color}; }`,
    ].join(' ');
  })
  .join('\n')}
.line.prior { stroke: var(--prior); } .triangle.prior { fill: var(--prior); }
`;

/** The style sheet of a page. */
export const pageStyle = `${chartStyle}* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--text);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
main { max-width: 1040px; margin: 0 auto; padding: 40px 20px 64px; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 6px; letter-spacing: -0.01em; }
h2 { font-size: 1.1rem; margin: 0 0 4px; }
p { margin: 4px 0 12px; }
p, li { max-width: 86ch; }
.lead, .note { color: var(--muted); }
.note { font-size: 0.88rem; max-width: 78ch; }
section { background: var(--card); border: 1px solid var(--rule); border-radius: 10px; padding: 20px 22px; margin-top: 20px; }
h3 { font-size: 1rem; margin: 18px 0 4px; }
.conclusion { font-size: 1.1rem; max-width: 68ch; margin: 0 0 6px; }
blockquote { margin: 4px 0; padding: 8px 14px; border-left: 3px solid var(--rule); white-space: pre-wrap; overflow-wrap: anywhere; max-width: 86ch; }
.gallery { list-style: none; margin: 10px 0; padding: 0; display: grid; grid-template-columns: repeat(auto-fill, minmax(104px, 1fr)); gap: 12px; }
.gallery li { display: flex; flex-direction: column; font-size: 0.82rem; line-height: 1.3; overflow-wrap: anywhere; }
.gallery img { width: 100%; aspect-ratio: 1; object-fit: contain; image-rendering: pixelated; border-radius: 6px; background: var(--grid); margin-bottom: 4px; }
.gallery .wrong > span:first-of-type { color: var(--series-1); } .gallery .truth { color: var(--muted); }
.confusion { width: auto; font-size: 0.84rem; font-variant-numeric: tabular-nums; }
.confusion th, .confusion td, .confusion td:last-child, .confusion th:last-child { padding: 5px 8px; text-align: right; border: 1px solid var(--card); min-width: 36px; }
.confusion td.hit { background: color-mix(in srgb, var(--series-0) calc(var(--share) * 0.6), var(--grid)); }
.confusion td.miss { background: color-mix(in srgb, var(--series-1) var(--share), var(--grid)); }
figure { margin: 16px 0; } figcaption { font-weight: 600; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: 0.92rem; }
th, td { text-align: left; padding: 7px 14px 7px 0; border-bottom: 1px solid var(--rule); white-space: nowrap; }
tbody tr:last-child td { border-bottom: 0; }
th { color: var(--muted); font-weight: 600; }
.number { text-align: right; font-variant-numeric: tabular-nums; }
td:last-child, th:last-child { padding-right: 0; }
.swatch { display: inline-block; width: 10px; height: 10px; border-radius: 3px; margin-right: 8px; }
svg { display: block; width: 100%; height: auto; }
.legend { list-style: none; display: flex; flex-wrap: wrap; gap: 2px 22px; margin: 6px 0 10px; padding: 0; font-size: 0.88rem; }
.legend li { display: flex; align-items: center; gap: 8px; }
.legend svg { width: 28px; height: 14px; flex: none; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 4px 22px; margin: 6px 0 0; font-size: 0.92rem; }
dt { color: var(--muted); } dd { margin: 0; overflow-wrap: anywhere; }
details { margin-top: 14px; } summary { cursor: pointer; color: var(--muted); }
pre { overflow: auto; font-size: 0.82rem; line-height: 1.45; margin: 10px 0 0; }
code, pre { font-family: ui-monospace, "Cascadia Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; }
@media (max-width: 720px) {
  svg { overflow: visible; } svg text { font-size: 21px; } .line { stroke-width: 3.5; } .faint { stroke-width: 2; }
  svg .title { font-size: 18px; } .axes .title:last-child { transform: translate(-8px, 172px) rotate(-90deg); }
  main { padding: 24px 12px 48px; } section { padding: 16px 14px; }
  .stacked thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  .stacked, .stacked tbody, .stacked tr, .stacked td { display: block; }
  .stacked tr { padding: 8px 0; border-bottom: 1px solid var(--rule); } .stacked tbody tr:last-child { border-bottom: 0; }
  .stacked td, .stacked td:last-child { display: flex; align-items: baseline; padding: 3px 0; border: 0; white-space: normal; overflow-wrap: anywhere; text-align: right; }
  .stacked td::before { content: attr(data-title); margin-right: auto; padding-right: 14px; color: var(--muted); text-align: left; }
  dl { grid-template-columns: 1fr; gap: 0; } dt { margin-top: 8px; }
}
@media (max-width: 600px) { svg text { font-size: 26px; } }
@media (max-width: 480px) {
  svg:has(.axes) { width: calc(100% - 26px); margin: 30px 0 26px 26px; }
  svg text, svg .title { font-size: 37px; }
  .axes text:nth-child(even of .tick + text), .axes text:nth-child(even of .grid + text) { display: none; }
  .axes .tick + text { transform: translate(0, 12px); } .axes .title:nth-last-child(2) { transform: translate(0, 44px); }
  .axes .title:last-child { transform: translate(-76px, -22px); text-anchor: start; }
}
@media print { section { break-inside: avoid; } }
`;
