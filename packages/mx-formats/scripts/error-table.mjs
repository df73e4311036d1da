/**
 * pnpm docs, or node scripts/error-table.mjs [--write]: the error of each format on three kinds of data, as Markdown.
 * With --write the tables go between their marks in docs/mx-formats.md. Build first.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { markdownTable } from 'markdown-table';
import { dataSets } from './data.mjs';

export const page = fileURLToPath(new URL('../../../docs/mx-formats.md', import.meta.url));

/** All columns but the first to the right. */
const table = (header, rows) => markdownTable([header, ...rows], { align: header.map((_, i) => (i === 0 ? '' : 'r')) });

const percent = (fraction) => (fraction === 0 ? '0' : `${(100 * fraction).toFixed(2)} %`);

/** Signal to noise, clipped and flushed values of every format on every kind of data. */
export function formatTable({ formats, quantizationError }) {
  const sets = Object.entries(dataSets());
  const header = ['format', 'bits', ...sets.flatMap(([name]) => [`${name}: dB`, 'clipped', 'flushed'])];
  const rows = Object.values(formats).map((format) => {
    const bits = format.element.bits + 8 / format.blockSize;
    const cells = sets.flatMap(([, { values }]) => {
      const { signalToNoise, clipped, flushed } = quantizationError(values, { format });
      return [signalToNoise.toFixed(1), percent(clipped), percent(flushed)];
    });
    return [format.name, String(bits), ...cells];
  });
  return table(header, rows);
}

/** Signal to noise of every OCP format under every scale mode, on normal data. */
export function scaleModeTable({ formats, quantizationError, scaleModes }) {
  const { values } = dataSets().normal;
  const rows = Object.values(formats)
    .filter(({ scale }) => scale === 'e8m0')
    .map((format) => [
      format.name,
      ...scaleModes.map((scaleMode) => quantizationError(values, { format, scaleMode }).signalToNoise.toFixed(1)),
    ]);
  return table(['format', ...scaleModes], rows);
}

/** The page with the tables of this library in their places. */
export function withTables(text, library) {
  const place = (all, mark, content) =>
    all.replace(
      new RegExp(`(<!-- ${mark} -->\n)[\\s\\S]*?(\n<!-- end -->)`),
      (_, open, close) => `${open}\n${content}\n${close}`,
    );
  return place(place(text, 'formats', formatTable(library)), 'scale modes', scaleModeTable(library));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const library = await import('@lmd/mx-formats');
  if (process.argv.includes('--write')) writeFileSync(page, withTables(readFileSync(page, 'utf8'), library));
  else process.stdout.write(`${formatTable(library)}\n\n${scaleModeTable(library)}\n`);
}
