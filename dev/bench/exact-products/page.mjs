import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { formats } from '@lmd/mx-formats';
import { withMarked, wrapped } from '../lib/marked.mjs';
import { writeAtomically } from '../lib/page.mjs';
import { tableOf } from '../lib/table.mjs';

const at = (path) => fileURLToPath(new URL(`../../../${path}`, import.meta.url));
export const results = at('docs/exact-products.json');
export const page = at('docs/exact-products.md');
export const readme = at('README.md');

/**
 * @typedef {{ layer: string, format: string, gops: number, ratio: number }} Measured
 * @typedef {{
 *   date: string, machine: string, load: string,
 *   engines: { name: string, device: string, integerProducts: string, rows: Measured[] }[],
 * }} Results
 */

/** The ratios of a format to FP32, from the least to the largest: `1.20 to 2.31`. */
function ratiosOf(rows, format) {
  const ratios = rows.filter((row) => row.format === format).map(({ ratio }) => ratio);
  return `${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)}`;
}

/** Bits of a packed value, its part of the scale included. */
const bitsOf = ({ element, blockSize }) => element.bits + 8 / blockSize;

/**
 * The page's table: for each engine, a product a row, the speed in each format as a multiple of FP32's.
 *
 * @param {Results} measured
 */
export function resultsTable({ date, machine, load, engines }) {
  const caption = wrapped(`Written by \`npm run bench -- exact-products --write\` on ${date}: ${machine}; ${load}.`);
  const tables = engines.map(({ name, device, integerProducts, rows }) => {
    const names = [...new Set(rows.map(({ format }) => format))];
    const layers = [...new Set(rows.map(({ layer }) => layer))];
    const lines = layers.map((layer) => {
      const of = (format) => rows.find((row) => row.layer === layer && row.format === format);
      return [
        layer,
        ...names.map((format) => `${of(format).ratio.toFixed(2)} × (${of(format).gops.toFixed(0)} Gop/s)`),
      ];
    });
    const text = wrapped(`With ${name}: ${device}; ${integerProducts}.`);
    return `${text}\n\n${tableOf(['product', ...names.map((format) => `>${format}`)], lines)}`;
  });
  return [caption, ...tables].join('\n\n');
}

/**
 * The README's sentence.
 *
 * @param {Results} measured
 */
export function readmeSentence({ date, machine, engines: [engine] }) {
  const bits = bitsOf(formats.mxfp6_e2m3);
  return wrapped(
    '**Products of block formats are computed in integers.** With operands in MXFP6 (E2M3), a product has the ' +
      'same bits on ' +
      'the cpu, webgpu and reference backends, and on every machine, at ' +
      `${ratiosOf(engine.rows, 'mxfp6_e2m3')} times the speed of the FP32 product. Packed weights take ` +
      `${(bits / 32).toFixed(2)} of the bytes (${bits} bits a value): [exact products](docs/exact-products.md). ` +
      `Measured on ${date}, ${machine}, ${engine.name}.`,
  );
}

/**
 * Writes the results as JSON, and what the page and the README say of them.
 *
 * @param {Results} measured
 */
export function writeResults(measured) {
  writeAtomically(results, `${JSON.stringify(measured, null, 2)}\n`);
  writeAtomically(page, withMarked(readFileSync(page, 'utf8'), 'measured', resultsTable(measured)));
  writeAtomically(readme, withMarked(readFileSync(readme, 'utf8'), 'exact-products', readmeSentence(measured)));
}
