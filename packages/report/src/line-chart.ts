import { extent } from 'd3-array';
import { scaleLinear, scaleLog } from 'd3-scale';
import { line } from 'd3-shape';
import type { Chart, LegendEntry } from './chart.js';
import { axes, coordinate, type Scale, xRange, yRange } from './frame.js';
import { html, type Markup } from './html.js';
import { seriesColors } from './style.js';

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface SeriesPoint extends Point {
  /** Half width of a confidence interval, drawn as a bar. */
  readonly halfWidth?: number | undefined;
}

/** A line of a chart. Points that are not finite, or not positive on a log axis, are omitted. */
export interface Series {
  /** Name in the legend and in the tooltips; without one the series is not in the legend. */
  readonly name?: string;
  /** Position among the colours; default: the position among the series. */
  readonly color?: number;
  /** `faint`: a thin line behind the others; `star`: a diamond at each point, without a line. Default `line`. */
  readonly style?: 'line' | 'dashed' | 'faint' | 'star';
  /** A circle at each point, with its value as a tooltip. */
  readonly markers?: boolean;
  readonly points: readonly SeriesPoint[];
}

export interface Axis {
  /** With its unit: `cross-entropy (nats)`. */
  readonly title: string;
  readonly scale?: 'linear' | 'log';
  readonly format?: (value: number) => string;
  /** Start of the axis that must be included (`from: 0`), or its exact range (`domain`). */
  readonly from?: number;
  readonly domain?: readonly [number, number];
  /** Labels of 0, 1, … for an axis with categories. */
  readonly categories?: readonly string[];
  /** A tick at each x value, for example for a grid of learning rates. */
  readonly ticksAtPoints?: boolean;
}

export interface LineChartOptions {
  /** For screen readers: `Loss by optimizer step`. */
  readonly label: string;
  readonly x: Axis;
  readonly y: Axis;
  readonly series: readonly Series[];
}

/** 1, 2 and 5 times powers of ten within the domain, or all multiples if those are few. */
function logTicks([low, high]: readonly [number, number], factors = [1, 2, 5]): number[] {
  const ticks: number[] = [];
  for (let exponent = Math.floor(Math.log10(low)); exponent <= Math.ceil(Math.log10(high)); exponent++) {
    for (const factor of factors) {
      const value = Number(`${factor}e${exponent}`);
      if (value >= low && value <= high) ticks.push(value);
    }
  }
  return ticks.length < 3 && factors.length < 9 ? logTicks([low, high], [1, 2, 3, 4, 5, 6, 7, 8, 9]) : ticks;
}

/** The extent of the values, widened by 5 % (a factor on a log axis), so that no point lies on the frame. */
function domainOf(axis: Axis, values: readonly number[], room: number): [number, number] {
  if (axis.domain !== undefined) return [...axis.domain];
  const log = axis.scale === 'log';
  const [low, high] = extent(axis.from === undefined ? values : [axis.from, ...values]) as [number, number];
  if (low === undefined) return log ? [1, 10] : [0, 1];
  if (log) return [low / (1 + 3 * room), high * (1 + 3 * room)];
  const margin = low === high ? Math.abs(low) * 0.05 || 0.5 : room * (high - low);
  return [low === axis.from ? low : low - margin, high + margin];
}

function drawSeries(series: Series, x: Scale, y: Scale, color: string, name: (point: Point) => string): Markup {
  const style = series.style ?? 'line';
  const at = (point: Point) => ({ cx: coordinate(x(point.x)), cy: coordinate(y(point.y)) });
  if (style === 'star') {
    return html`${series.points.map((point) => {
      const { cx, cy } = at(point);
      const title = html`<title>${name(point)}</title>`;
      return html`<path class="star ${color}" d="M0-7L7 0L0 7L-7 0Z" transform="translate(${cx} ${cy})">${title}</path>`;
    })}`;
  }
  const path = line<Point>(
    (point) => x(point.x),
    (point) => y(point.y),
  ).digits(2)([...series.points]);
  const bars = series.points.map((point) => {
    if (point.halfWidth === undefined) return undefined;
    const [low, high] = [coordinate(y(point.y - point.halfWidth)), coordinate(y(point.y + point.halfWidth))];
    return html`<line class="line ${color}" x1="${at(point).cx}" x2="${at(point).cx}" y1="${low}" y2="${high}"/>`;
  });
  const markers = series.points.map((point) => {
    const { cx, cy } = at(point);
    return html`<circle class="point ${color}" cx="${cx}" cy="${cy}" r="3"><title>${name(point)}</title></circle>`;
  });
  const kind = style === 'line' ? '' : ` ${style}`;
  const drawn = path === null ? undefined : html`<path class="line${kind} ${color}" d="${path}"/>`;
  return html`${drawn}${bars}${series.markers === true ? markers : undefined}`;
}

/** Lines over one horizontal axis, with markers, confidence bars and a legend. */
export function lineChart({ label, x: xAxis, y: yAxis, series }: LineChartOptions): Chart {
  const drawable = (axis: Axis, value: number) => Number.isFinite(value) && (axis.scale !== 'log' || value > 0);
  const shown = series.map((each, index) => ({
    ...each,
    className: `series-${(each.color ?? index) % seriesColors}`,
    points: each.points.filter((point) => drawable(xAxis, point.x) && drawable(yAxis, point.y)),
  }));
  const all = shown.flatMap(({ points }) => points);
  const xs = [...new Set(all.map((point) => point.x))].sort((a, b) => a - b);
  const ys = all.flatMap((point) => {
    const ends = [point.y - (point.halfWidth ?? 0), point.y + (point.halfWidth ?? 0)];
    return ends.filter((value) => drawable(yAxis, value));
  });
  const atPoints = xAxis.categories !== undefined || xAxis.ticksAtPoints === true;
  const xDomain = domainOf(xAxis, xs, atPoints ? 0.05 : 0);
  const yDomain = domainOf(yAxis, ys, 0.05);
  const scale = (axis: Axis) => (axis.scale === 'log' ? scaleLog : scaleLinear);
  const x = scale(xAxis)(xDomain, xRange);
  const y = scale(yAxis)(yDomain, yRange);
  const ticksOf = (axis: Axis, of: Scale, domain: [number, number], count: number) =>
    axis.scale === 'log' ? logTicks(domain) : of.ticks(count);
  const formatX = (value: number) =>
    xAxis.categories?.[value] ?? xAxis.format?.(value) ?? String(Number(value.toPrecision(6)));
  const formatY = (value: number) => yAxis.format?.(value) ?? String(Number(value.toPrecision(4)));
  const xTicks = xAxis.categories?.map((_, index) => index) ?? (atPoints ? xs : ticksOf(xAxis, x, xDomain, 8));
  const content = html`${axes(
    x,
    y,
    { title: xAxis.title, values: xTicks, format: formatX },
    { title: yAxis.title, values: ticksOf(yAxis, y, yDomain, 6), format: formatY },
  )}${shown.map((each) =>
    drawSeries(each, x, y, each.className, (point) =>
      [each.name, `${formatX(point.x)}: ${formatY(point.y)}`].filter((part) => part !== undefined).join(', '),
    ),
  )}`;
  const legend = shown.flatMap(({ name, style, className }): LegendEntry[] =>
    name === undefined ? [] : [{ label: name, className, kind: style === 'dashed' ? 'dashed' : 'line' }],
  );
  return { label, legend, content };
}
