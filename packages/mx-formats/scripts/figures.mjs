/** pnpm docs, or node scripts/figures.mjs: writes docs/mx-formats-code-points.svg. Build first. */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export const figure = fileURLToPath(new URL('../../../docs/mx-formats-code-points.svg', import.meta.url));

const width = 960;
const left = 150;
const right = 24;
const span = width - left - right;
const rowHeight = 84;
const top = 92;
const [lowest, highest] = [-17, 17];

const escapeText = (text) => text.replace(/&/g, '&amp;').replace(/</g, '&lt;');

const superscript = (exponent) => [...String(exponent)].map((digit) => '⁰¹²³⁴⁵⁶⁷⁸⁹'[digit] ?? '⁻').join('');

/** Exact values in as few characters as serve: powers of two below 1/8 by their exponent. */
function label(value) {
  const exponent = Math.log2(value);
  return value < 1 / 8 && Number.isInteger(exponent) ? `2${superscript(exponent)}` : String(value);
}

/** The positive finite values of an element format, smallest first. */
function positives({ decodeElement }, element) {
  const half = 2 ** (element.bits - 1);
  return Array.from({ length: half }, (_, code) => decodeElement(code, element)).filter(
    (value) => Number.isFinite(value) && value > 0,
  );
}

function row(library, element, index) {
  const values = positives(library, element);
  const y = top + index * rowHeight;
  const smallestNormal = element.kind === 'int' ? 0 : 2 ** element.emin;
  const logX = (value) => left + ((Math.log2(value) - lowest) / (highest - lowest)) * span;
  const linearX = (value) => left + span / 2 + (value / element.largest) * (span / 2);
  const ticks = (x, y1, y2) =>
    ['subnormal', 'normal']
      .map((kind) => {
        const path = values
          .filter((value) => (kind === 'normal') === value >= smallestNormal)
          .flatMap((value) => x(value).map((at) => `M${at.toFixed(1)} ${y1}V${y2}`))
          .join('');
        return path === '' ? '' : `<path class="${kind}" d="${path}"/>`;
      })
      .join('');
  return [
    `<text class="name" x="16" y="${y + 22}">${escapeText(element.name.toUpperCase())}</text>`,
    `<text class="note" x="16" y="${y + 38}">${values.length} positive values</text>`,
    `<text class="note" x="16" y="${y + 52}">${label(values[0])} … ${label(element.largest)}</text>`,
    `<path class="axis" d="M${left} ${y + 24}H${left + span}M${left} ${y + 56}H${left + span}"/>`,
    ticks((value) => [logX(value)], y + 8, y + 24),
    `<path class="zero" d="M${left + span / 2} ${y + 38}V${y + 60}"/>`,
    ticks((value) => [linearX(value), linearX(-value)], y + 42, y + 56),
  ].join('\n');
}

/** The figure: for each element format its positive values on a logarithmic axis, and all of them on a linear one. */
export function codePoints(library) {
  const elements = Object.values(library.elementFormats);
  const height = top + elements.length * rowHeight + 34;
  const bottom = top + elements.length * rowHeight;
  const powers = [];
  for (let exponent = lowest + 1; exponent < highest; exponent += 4) {
    const x = left + ((exponent - lowest) / (highest - lowest)) * span;
    powers.push(`<path class="grid" d="M${x.toFixed(1)} ${top}V${bottom - 60}"/>`);
    powers.push(`<text class="power" x="${x.toFixed(1)}" y="${top - 8}">2${superscript(exponent)}</text>`);
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="title description">
<title id="title">Code points of the MX element formats</title>
<desc id="description">For each format, above: its positive values on a logarithmic axis; below: all its values on a linear axis from
minus the largest to the largest. Subnormal values are orange.</desc>
<style>
rect { fill: #fff } text { font: 12px system-ui, sans-serif; fill: #222 } .name { font-weight: 600; font-size: 15px }
.note, .power { fill: #555; font-size: 11px } .power { text-anchor: middle }
.axis { stroke: #999 } .grid { stroke: #e4e4e4 } .zero { stroke: #222 } .normal { stroke: #1a5fb4 } .subnormal { stroke: #c64600 }
</style>
<rect width="${width}" height="${height}"/>
<text class="name" x="16" y="26">Code points of the MX element formats</text>
<text class="note" x="16" y="46">above: positive values, logarithmic; below: all values, linear from −largest to largest; subnormals in orange</text>
${powers.join('\n')}
${elements.map((element, index) => row(library, element, index)).join('\n')}
<text class="note" x="${left}" y="${height - 14}">−largest</text>
<text class="note" x="${left + span / 2}" y="${height - 14}" text-anchor="middle">0</text>
<text class="note" x="${left + span}" y="${height - 14}" text-anchor="end">largest</text>
</svg>
`;
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  writeFileSync(figure, codePoints(await import('@lmd/mx-formats')));
