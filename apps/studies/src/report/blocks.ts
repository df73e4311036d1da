import { type Block, type LineChartOptions, lineChart, type Table, tableOf } from '@lmd/report';

export type { Block };

export const heading = (text: string): Block => ({ kind: 'heading', text });
export const text = (content: string): Block => ({ kind: 'text', text: content });
export const list = (items: readonly string[]): Block => ({ kind: 'list', items });

/** A table whose first `leftColumns` columns are text, and the others numbers. */
export function table(titles: readonly string[], rows: Table['rows'], leftColumns = 1): Block {
  return { kind: 'table', table: tableOf(titles, rows, leftColumns) };
}

export const percentAxis = (title: string) => ({
  title,
  format: (value: number) => `${Math.round(value * 1000) / 10} %`,
});

/** A chart under its title; with `file`, also in Markdown. */
export function plot(title: string, options: Omit<LineChartOptions, 'label'>, file?: string): Block {
  return { kind: 'chart', title, chart: lineChart({ label: title, ...options }), ...(file && { file }) };
}
