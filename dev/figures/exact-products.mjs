/** node dev/figures/exact-products.mjs: the figure and the table of formats of docs/exact-products.md. Build first. */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { integerElement, largestFactor } from '@lmd/core';
import { fakeQuantize, formats } from '@lmd/mx-formats';
import { withMarked } from '../bench/lib/marked.mjs';
import { tableOf } from '../bench/lib/table.mjs';

export const page = fileURLToPath(new URL('../../docs/exact-products.md', import.meta.url));
export const figure = fileURLToPath(new URL('../../docs/exact-products.svg', import.meta.url));

/** Formats with exact products, the widest last. */
const exact = Object.values(formats)
  .filter((format) => Number.isFinite(largestFactor(format)))
  .sort((a, b) => largestSum(a) - largestSum(b));

/** The largest |Σ σ·σ·q·q| of a block. */
function largestSum(format) {
  return format.blockSize * largestFactor(format) ** 2;
}

const elementOf = ({ element }) => ({ ...integerElement(element), name: element.name.toUpperCase() });
const thousands = (value) => value.toLocaleString('en-GB');

/** The table of formats in Markdown, from their records. */
export function formatsTable() {
  const rows = exact.map((format) => {
    const { unitExponent, largest } = elementOf(format);
    const scale = format.scale === 'e8m0' ? 'a power of two' : 'E4M3: an integer up to 15 times a power of two';
    const held = largest > 128 ? 'i16' : 'i8';
    return [format.name, 2 ** -unitExponent, largest, held, scale, thousands(largestSum(format))];
  });
  return tableOf(['format', '>unit⁻¹', '>largest integer', 'held in', 'scale', '>largest sum of a block'], rows);
}

const shown = 8;
const width = 960;
const left = 210;
const cell = 62;

/** Values of one operand's block, as the format has them, and the integers that they are. */
function operand(seed) {
  const format = formats.mxfp6_e2m3;
  const source = Float32Array.from({ length: format.blockSize }, (_, i) => 3 * Math.sin(seed * (i + 1)) ** 3);
  const values = fakeQuantize(source, { format });
  const largest = Math.max(...source.map(Math.abs));
  const scale = 2 ** (Math.floor(Math.log2(largest)) - format.element.emax);
  const unit = scale * 2 ** integerElement(format.element).unitExponent;
  return { values, scale, integers: Array.from(values, (value) => value / unit) };
}

const minus = (value) => String(value).replace('-', '−');
const superscript = (exponent) => [...String(exponent)].map((digit) => '⁰¹²³⁴⁵⁶⁷⁸⁹'[digit] ?? '⁻').join('');

function strip(y, title, note, numbers, kind) {
  const cells = numbers.slice(0, shown).map((number, i) => {
    const x = left + i * cell;
    const box = `<rect class="${kind}" x="${x}" y="${y}" width="${cell - 4}" height="26" rx="3"/>`;
    return `${box}<text class="number" x="${x + cell / 2 - 2}" y="${y + 18}">${minus(number)}</text>`;
  });
  return [
    `<text class="name" x="16" y="${y + 12}">${title}</text>`,
    `<text class="note" x="16" y="${y + 27}">${note}</text>`,
    ...cells,
    `<text class="note" x="${left + shown * cell + 4}" y="${y + 18}">… ${numbers.length} in all</text>`,
  ].join('\n');
}

/** How many bits the largest sum of a block takes in each format, beside the 24 of f32. */
function bars(top) {
  const scale = (bits) => left + (bits / 26) * (width - left - 60);
  const rows = exact.map((format, i) => {
    const bits = Math.log2(largestSum(format));
    const y = top + 26 + i * 24;
    return [
      `<text class="note" x="16" y="${y + 13}">${format.name}</text>`,
      `<rect class="bar" x="${left}" y="${y}" width="${(scale(bits) - left).toFixed(1)}" height="16"/>`,
      `<text class="inside" x="${(scale(bits) - 6).toFixed(1)}" y="${y + 12}">${thousands(largestSum(format))}</text>`,
    ].join('\n');
  });
  const bottom = top + 26 + exact.length * 24;
  return {
    bottom,
    drawn: [
      `<text class="name" x="16" y="${top}">Largest sum of a block, in bits</text>`,
      ...rows,
      `<path class="limit" d="M${scale(24).toFixed(1)} ${top + 16}V${bottom}"/>`,
      `<text class="note" x="${scale(24).toFixed(1)}" y="${top + 10}" text-anchor="middle">2²⁴: every integer below is an f32</text>`,
    ].join('\n'),
  };
}

/** The figure: one block of a product in MXFP6 E2M3 from values to the rounding, and the sums that formats can have. */
export function exactProductFigure() {
  const [a, b] = [operand(0.7), operand(1.9)];
  const products = a.integers.map((q, i) => q * b.integers[i]);
  const sum = products.reduce((total, product) => total + product, 0);
  const exponent = Math.log2(a.scale * b.scale) + 2 * integerElement(formats.mxfp6_e2m3.element).unitExponent;
  const power = (x) => `2${superscript(Math.log2(x))}`;
  const { bottom, drawn } = bars(330);
  const height = bottom + 20;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="title description">
<title id="title">A block of an exact product</title>
<desc id="description">Two blocks of MXFP6 E2M3 values are integers times a unit. The sum of the products of the integers is an integer, which
is multiplied by a power of two and added to the result with one rounding. Below: the largest such sum of each format, all under 2^24.</desc>
<style>
text { font: 12px system-ui, sans-serif; fill: #222 } .name { font-weight: 600; font-size: 13px } .note { fill: #555; font-size: 11px }
.number { text-anchor: middle; font-variant-numeric: tabular-nums } .paper { fill: #fff } .value { fill: #e8f0fb } .integer { fill: #fdf0e0 }
.product { fill: #f1f1f1 } .bar { fill: #1a5fb4 } .limit { stroke: #c64600; stroke-dasharray: 4 3 }
.inside { fill: #fff; font-size: 11px; text-anchor: end } .sum { font-weight: 600; font-size: 15px }
</style>
<rect class="paper" width="${width}" height="${height}"/>
<text class="name" x="16" y="26" style="font-size: 15px">A block of an exact product, MXFP6 E2M3</text>
${strip(44, 'values of a', `scale ${power(a.scale)}`, Array.from(a.values), 'value')}
${strip(78, 'integers of a', 'value = scale · q / 8', a.integers, 'integer')}
${strip(118, 'values of b', `scale ${power(b.scale)}`, Array.from(b.values), 'value')}
${strip(152, 'integers of b', 'value = scale · q / 8', b.integers, 'integer')}
${strip(192, 'products of integers', 'exact, in any order', products, 'product')}
<text class="sum" x="${left}" y="252">Σ = ${minus(thousands(sum))}</text>
<text class="note" x="${left + 130}" y="252">an exact integer, in i32 and in f32</text>
<text class="sum" x="${left}" y="282">y ← fl32(y + 2${superscript(exponent)} · Σ)</text>
<text class="note" x="${left + 250}" y="282">the product is exact: one rounding for each block, in the addition</text>
${drawn}
</svg>
`;
}

/** The page with its table of formats. */
export const withFormats = (text) => withMarked(text, 'formats', formatsTable());

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(figure, exactProductFigure());
  writeFileSync(page, withFormats(readFileSync(page, 'utf8')));
}
