export { type Chart, chartFile, chartInPage, type LegendEntry } from './chart.js';
export { type CsvValue, csv } from './csv.js';
export { type DensityChartOptions, densityChart, type Histogram } from './density-chart.js';
export { escapeHtml, html, Markup } from './html.js';
export {
  type Axis,
  type LineChartOptions,
  lineChart,
  type Point,
  type Series,
  type SeriesPoint,
} from './line-chart.js';
export { facts, page } from './page.js';
export { type Block, type Report, reportInMarkdown, reportInPage } from './report.js';
export { chartStyle, pageStyle, seriesColors } from './style.js';
export {
  escapeMarkdown,
  inlineCode,
  markdownTable,
  type Table,
  type TableColumn,
  type TableInPageOptions,
  tableInPage,
  tableOf,
} from './table.js';
