import { scaleLinear, scaleLog } from 'd3-scale';
import { line } from 'd3-shape';
import type { Plot, Series } from './blocks.js';
import { escapeHtml } from './escape.js';

const frame = { width: 960, height: 380, left: 80, right: 20, top: 14, bottom: 52 };

const at = (value: number) => String(Math.round(value * 100) / 100);

type Point = Series['points'][number];

function isFinitePoint({ x, y }: Point): boolean {
  return Number.isFinite(x) && Number.isFinite(y);
}

function extent(values: readonly number[]): [number, number] {
  return [Math.min(...values), Math.max(...values)];
}

/** A line plot with its legend: markers carry their values as titles, bars are 95 % confidence intervals. */
export function renderPlot(plot: Plot): string {
  const { width, height, left, right, top, bottom } = frame;
  const shown = plot.series.map((series) => ({ ...series, points: series.points.filter(isFinitePoint) }));
  const all = shown.flatMap(({ points }) => points);
  if (all.length === 0) return '';
  const xs = extent(all.map(({ x }) => x));
  const ys = extent(all.flatMap(({ y, halfWidth = 0 }) => [y - halfWidth, y + halfWidth]));
  const margin = (ys[1] - ys[0]) * 0.05 || 0.01;
  const xRange = [left + 12, width - right - 12];
  const x =
    plot.xScale === 'log' ? scaleLog(xs, xRange) : scaleLinear(xs[0] === xs[1] ? [xs[0] - 1, xs[1] + 1] : xs, xRange);
  const y = scaleLinear([ys[0] - margin, ys[1] + margin], [height - bottom, top]);
  const showY = (value: number) =>
    plot.yPercent ? `${Math.round(value * 1000) / 10} %` : String(Math.round(value * 1e4) / 1e4);
  const xTicks =
    plot.categories?.map((_, index) => index) ??
    (plot.xScale === 'log' ? [...new Set(all.map((point) => point.x))].sort((a, b) => a - b) : x.ticks(8));
  const showX = (value: number) => plot.categories?.[value] ?? String(Number(value.toPrecision(3)));
  const base = height - bottom;
  const grid = y
    .ticks(6)
    .map(
      (value) =>
        `<line class="grid" x1="${left}" x2="${width - right}" y1="${at(y(value))}" y2="${at(y(value))}"/><text x="${left - 8}" y="${at(y(value))}" dy="0.32em" text-anchor="end">${showY(value)}</text>`,
    );
  const ticks = xTicks.map(
    (value) => `<text x="${at(x(value))}" y="${base + 20}" text-anchor="middle">${escapeHtml(showX(value))}</text>`,
  );
  const titles = `<text x="${(left + width - right) / 2}" y="${height - 8}" text-anchor="middle">${escapeHtml(plot.xTitle)}</text><text transform="translate(14 ${(top + base) / 2}) rotate(-90)" text-anchor="middle">${escapeHtml(plot.yTitle)}</text>`;
  const path = line<Point>(
    (point) => x(point.x),
    (point) => y(point.y),
  ).digits(2);
  const drawn = shown.map(({ name, points }, index) => {
    const color = index % 8;
    const marks = points.map(({ x: px, y: py, halfWidth }) => {
      const bar =
        halfWidth === undefined
          ? ''
          : `<line class="s${color}" x1="${at(x(px))}" x2="${at(x(px))}" y1="${at(y(py - halfWidth))}" y2="${at(y(py + halfWidth))}"/>`;
      return `${bar}<circle class="f${color}" cx="${at(x(px))}" cy="${at(y(py))}" r="3"><title>${escapeHtml(`${name}, ${showX(px)}: ${showY(py)}`)}</title></circle>`;
    });
    return `<path class="line s${color}" d="${path(points) ?? ''}"/>${marks.join('')}`;
  });
  const legend = shown.map(({ name }, index) => `<li><span class="f${index % 8}">●</span> ${escapeHtml(name)}</li>`);
  return `<figure><figcaption>${escapeHtml(plot.title)}</figcaption><ul class="legend">${legend.join('')}</ul>
<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${escapeHtml(plot.title)}">${[...grid, ...ticks].join('')}${titles}${drawn.join('\n')}</svg></figure>`;
}
