import type { ScaleContinuousNumeric } from 'd3-scale';
import { html, type Markup } from './html.js';

export type Scale = ScaleContinuousNumeric<number, number>;

/** The drawing area, in SVG units: `left` to `width − right`, `top` to `height − bottom`. */
export const frame = { width: 960, height: 380, left: 72, right: 24, top: 16, bottom: 52 } as const;

export const xRange: [number, number] = [frame.left, frame.width - frame.right];
export const yRange: [number, number] = [frame.height - frame.bottom, frame.top];

/** Two decimals are below the resolution of a screen, and halve the file size. */
export function coordinate(value: number): string {
  return String(Math.round(value * 100) / 100);
}

export interface Ticks {
  readonly title: string;
  readonly values: readonly number[];
  readonly format: (value: number) => string;
}

/** Grid lines, tick labels and titles with units. */
export function axes(x: Scale, y: Scale, xTicks: Ticks, yTicks: Ticks): Markup {
  const { width, height, left, right, top, bottom } = frame;
  const base = height - bottom;
  return html`<g class="axes">
${yTicks.values.map((value) => {
  const at = coordinate(y(value));
  const label = html`<text x="${left - 10}" y="${at}" dy="0.32em" text-anchor="end">${yTicks.format(value)}</text>`;
  return html`<line class="grid" x1="${left}" x2="${width - right}" y1="${at}" y2="${at}"/>${label}`;
})}
${xTicks.values.map((value) => {
  const at = coordinate(x(value));
  const label = html`<text x="${at}" y="${base + 20}" text-anchor="middle">${xTicks.format(value)}</text>`;
  return html`<line class="tick" x1="${at}" x2="${at}" y1="${base}" y2="${base + 5}"/>${label}`;
})}
<line class="base" x1="${left}" x2="${width - right}" y1="${base}" y2="${base}"/>
<text class="title" x="${(left + width - right) / 2}" y="${height - 8}" text-anchor="middle">${xTicks.title}</text>
<text class="title" transform="translate(14 ${(top + base) / 2}) rotate(-90)" text-anchor="middle">${yTicks.title}</text>
</g>`;
}
