import { scaleLinear, scaleLog } from 'd3-scale';
import { line } from 'd3-shape';
import type { Result } from './train.js';

const [width, height] = [760, 380];
const margin = { top: 16, right: 16, bottom: 40, left: 56 };
const colours = ['#1f6f8b', '#c0562f', '#6a8d3f', '#7b4f9d'];

/** A page with the loss curves and the table: one file, nothing loaded. */
export function reportPage(results: readonly Result[], caption: string): string {
  const rows = results
    .map(
      (result) =>
        `<tr><td>${escapeHtml(result.optimizer)}</td><td>${escapeHtml(result.precision)}</td><td>${(100 * result.testAccuracy).toFixed(2)} %</td>` +
        `<td>${result.testLoss.toFixed(4)}</td><td>${result.seconds.toFixed(1)}</td><td>${result.processorSeconds.toFixed(1)}</td></tr>`,
    )
    .join('\n');
  const headings = ['optimizer', 'precision', 'test accuracy', 'test loss', 'seconds', 'processor seconds'];
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>MNIST in TensorFlow.js: Adam and LMD</title>
<style>
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 50rem; padding: 0 1rem; color: #222; background: #fff; }
table { border-collapse: collapse; } td, th { padding: .2rem .8rem; text-align: right; border-bottom: 1px solid #ddd; }
td:nth-child(-n+2), th:nth-child(-n+2) { text-align: left; }
svg { width: 100%; height: auto; } svg text { font: 12px system-ui, sans-serif; fill: #444; }
</style>
<h1>MNIST in TensorFlow.js: Adam and LMD</h1>
<p>${escapeHtml(caption)}</p>
${lossChart(results)}
<table>
<tr>${headings.map((heading) => `<th>${heading}</th>`).join('')}</tr>
${rows}
</table>
</html>
`;
}

/** Training loss of every run over its steps, as a moving average of a fiftieth of the run, on a logarithmic axis. */
export function lossChart(results: readonly Result[]): string {
  const curves = results.map(({ losses }) => movingAverage(losses, Math.max(1, Math.round(losses.length / 50))));
  const values = curves.flat().filter((value) => value > 0 && Number.isFinite(value));
  const steps = Math.max(1, ...results.map(({ losses }) => losses.length));
  const x = scaleLinear([0, steps], [margin.left, width - margin.right]);
  const y = scaleLog([Math.min(...values), Math.max(...values)], [height - margin.bottom, margin.top]).nice();
  const path = line<number>(
    (_, step) => x(step),
    (value) => y(value),
  )
    .defined((value) => value > 0 && Number.isFinite(value))
    .digits(1);
  const grid = y
    .ticks(6)
    .map((tick) => {
      const at = y(tick).toFixed(1);
      return `<line x1="${margin.left}" x2="${width - margin.right}" y1="${at}" y2="${at}" stroke="#eee"/><text x="${margin.left - 6}" y="${at}" text-anchor="end" dominant-baseline="middle">${y.tickFormat(6, '~r')(tick)}</text>`;
    })
    .join('');
  const ticks = x
    .ticks(6)
    .map(
      (tick) =>
        `<text x="${x(tick).toFixed(1)}" y="${height - margin.bottom + 18}" text-anchor="middle">${tick}</text>`,
    )
    .join('');
  const lines = curves
    .map((curve, index) => {
      return `<path d="${path(curve) ?? ''}" fill="none" stroke="${colours[index % colours.length]}" stroke-width="1.8"${dashOf(results[index]!)}/>`;
    })
    .join('');
  const legend = results
    .map((result, index) => {
      const top = margin.top + 12 + 18 * index;
      const right = width - margin.right - 170;
      return `<line x1="${right}" x2="${right + 24}" y1="${top}" y2="${top}" stroke="${colours[index % colours.length]}" stroke-width="2"${dashOf(result)}/><text x="${right + 30}" y="${top}" dominant-baseline="middle">${escapeHtml(`${result.optimizer}, ${result.precision}`)}</text>`;
    })
    .join('');
  const label = 'Training loss over steps, one line a run';
  return `<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${label}">${grid}${ticks}${lines}${legend}<text x="${(width + margin.left) / 2}" y="${height - 6}" text-anchor="middle">step</text><text x="12" y="12">loss</text></svg>`;
}

/** Runs with rounded operands are dashed. */
function dashOf({ precision }: Result): string {
  return precision === 'fp32' ? '' : ' stroke-dasharray="6 3"';
}

function movingAverage(values: readonly number[], span: number): number[] {
  let sum = 0;
  return values.map((value, index) => {
    sum += value - (index >= span ? values[index - span]! : 0);
    return sum / Math.min(index + 1, span);
  });
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
