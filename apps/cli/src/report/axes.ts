import type { ScaleContinuousNumeric } from 'd3-scale';
import { html, type Markup } from './html.js';

export type Scale = ScaleContinuousNumeric<number, number>;

export interface Frame {
  readonly width: number;
  readonly height: number;
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

export const frame: Frame = { width: 960, height: 380, left: 64, right: 24, top: 16, bottom: 52 };

/** Two decimals: a tenth of what a screen shows, and half the file. */
export function coordinate(value: number): string {
  return String(Math.round(value * 100) / 100);
}

export interface AxesOptions {
  readonly x: Scale;
  readonly y: Scale;
  readonly xTitle: string;
  readonly yTitle: string;
  readonly xTicks?: number;
  readonly yTickValues?: readonly number[];
  readonly formatX?: (value: number) => string;
  readonly formatY?: (value: number) => string;
}

/** Grid lines, tick labels and titles with units. */
export function axes(options: AxesOptions): Markup {
  const { x, y, xTitle, yTitle } = options;
  const { width, height, left, right, top, bottom } = frame;
  const xTickValues = x.ticks(options.xTicks ?? 8);
  const yTickValues = options.yTickValues ?? y.ticks(6);
  const formatX = options.formatX ?? x.tickFormat(options.xTicks ?? 8);
  const formatY = options.formatY ?? y.tickFormat(6);
  const base = height - bottom;
  return html`<g class="axes">
${yTickValues.map((value) => {
  const at = coordinate(y(value));
  return html`<line class="grid" x1="${left}" x2="${width - right}" y1="${at}" y2="${at}"/><text x="${left - 10}" y="${at}" dy="0.32em" text-anchor="end">${formatY(value)}</text>`;
})}
${xTickValues.map((value) => {
  const at = coordinate(x(value));
  return html`<line class="tick" x1="${at}" x2="${at}" y1="${base}" y2="${base + 5}"/><text x="${at}" y="${base + 20}" text-anchor="middle">${formatX(value)}</text>`;
})}
<line class="base" x1="${left}" x2="${width - right}" y1="${base}" y2="${base}"/>
<text class="title" x="${(left + width - right) / 2}" y="${height - 8}" text-anchor="middle">${xTitle}</text>
<text class="title" transform="translate(14 ${(top + base) / 2}) rotate(-90)" text-anchor="middle">${yTitle}</text>
</g>`;
}

/** The drawing itself, described for screen readers. */
export function drawing(label: string, content: Markup): Markup {
  return html`<svg viewBox="0 0 ${frame.width} ${frame.height}" role="img" aria-label="${label}" preserveAspectRatio="xMidYMid meet">${content}</svg>`;
}

export interface LegendEntry {
  readonly label: string;
  /** Class that colours the key. */
  readonly className: string;
  readonly kind: 'line' | 'dashed' | 'triangle' | 'area';
}

/** What stands before a label of the legend, 28 wide and 14 high. */
export function legendKey({ className, kind }: LegendEntry): Markup {
  if (kind === 'area') return html`<rect class="area ${className}" x="2" y="2" width="24" height="10"/>`;
  if (kind === 'triangle') return html`<path class="${className}" d="M14 12l-5 -9h10Z"/>`;
  return html`<line class="line ${kind} ${className}" x1="1" x2="27" y1="7" y2="7"/>`;
}

/** The legend, in HTML above the drawing, so that it wraps on narrow screens. */
export function legend(entries: readonly LegendEntry[]): Markup {
  return html`<ul class="legend">${entries.map(
    (entry) => html`<li><svg width="28" height="14" aria-hidden="true">${legendKey(entry)}</svg>${entry.label}</li>`,
  )}</ul>`;
}
