import { XMLValidator } from 'fast-xml-parser';
import { describe, expect, it } from 'vitest';
import { chartFile, chartInPage } from './chart.js';
import { csv } from './csv.js';
import { densityChart } from './density-chart.js';
import { lineChart } from './line-chart.js';
import { type Report, reportInMarkdown, reportInPage } from './report.js';
import { inlineCode, markdownTable, tableInPage, tableOf } from './table.js';

/** Checks that every tag is closed in order, and that no text holds a bare `<` or `&`. */
function expectWellFormed(page: string): void {
  const xml = page.replace('<!doctype html>', '').replace(/<meta [^>]*>/g, '');
  expect(XMLValidator.validate(xml)).toBe(true);
}

const hostile = '<script>alert("&")</script>';

const chart = lineChart({
  label: hostile,
  x: { title: 'step', from: 0 },
  y: { title: 'loss (nats)', scale: 'log' },
  series: [
    { name: hostile, points: [0, 1, 2].map((x) => ({ x, y: 10 ** -x })) },
    { name: 'held out', style: 'dashed', markers: true, points: [{ x: 1, y: 0.5, halfWidth: 0.1 }] },
    { style: 'star', color: 0, points: [{ x: 2, y: 0.2 }] },
  ],
});

const report: Report = {
  title: hostile,
  blocks: [
    { kind: 'text', text: `About ${hostile} and \`code\`.` },
    { kind: 'heading', text: 'Results' },
    { kind: 'list', items: ['one', hostile] },
    {
      kind: 'table',
      table: tableOf(
        ['name', 'value'],
        [
          [hostile, '1 | 2'],
          ['α', '3'],
        ],
      ),
    },
    { kind: 'chart', title: 'Loss', chart },
  ],
};

describe('reports', () => {
  it('escape what they are given, in a page that is well formed', () => {
    const page = reportInPage(report);
    expect(page).not.toContain('<script');
    expect(page).toContain('<code>code</code>');
    expectWellFormed(page);
  });

  it('escape HTML in Markdown, and keep a table a table', () => {
    const text = reportInMarkdown(report);
    expect(text).not.toContain('<script');
    expect(text).toContain('1 \\| 2');
    expect(text.split('\n').filter((line) => line.startsWith('|'))).toHaveLength(4);
  });
});

describe('tables', () => {
  it('align numbers to the right, by characters and not by code units', () => {
    expect(
      markdownTable(
        tableOf(
          ['𝒳', 'loss'],
          [
            ['a', '0.5'],
            ['b𝒳c', '10.25'],
          ],
        ),
      ),
    ).toBe(['| 𝒳   |  loss |', '| --- | ----: |', '| a   |   0.5 |', '| b𝒳c | 10.25 |'].join('\n'));
  });

  it('keep a line break in a cell from ending the row', () => {
    expect(markdownTable(tableOf(['a'], [['x\ny']])).split('\n')).toHaveLength(3);
  });

  it('can make no link and move no cursor, and keep the brackets of a shape', () => {
    const table = markdownTable(tableOf(['a'], [['[x](javascript:y) [64,64]·[64,10] \u001b[31m']]));
    expect(table).toContain('[x\\](javascript:y) [64,64]·[64,10] \ufffd[31m');
  });

  it('leave a single backtick as it is', () => {
    expect(inlineCode('a ` b').text).toBe('a ` b');
    expect(inlineCode('`a` and `b').text).toBe('<code>a</code> and `b');
    expect(inlineCode('').text).toBe('');
  });

  it('put a lead before the first cell of a row', () => {
    const lead = inlineCode('`x`');
    expect(tableInPage(tableOf(['a'], [['b']]), { lead: () => lead }).text).toContain('<code>x</code>b</td>');
  });
});

describe('a line chart', () => {
  it('draws each series once, within its frame', () => {
    const { content } = chart;
    expect(content.text.match(/<path class="line/g)).toHaveLength(2);
    expect(content.text.match(/<circle/g)).toHaveLength(1);
    expect(content.text.match(/<path class="star/g)).toHaveLength(1);
    for (const [, y] of content.text.matchAll(/ cy="([^"]+)"/g)) expect(Number(y)).toBeGreaterThan(15);
  });

  it('leaves out what cannot be drawn', () => {
    const { content } = lineChart({
      label: 'gaps',
      x: { title: 'x' },
      y: { title: 'y', scale: 'log' },
      series: [{ name: 'a', markers: true, points: [0, 1, 2, 3].map((x) => ({ x, y: [Number.NaN, 0, -1, 5][x]! })) }],
    });
    expect(content.text.match(/<circle/g)).toHaveLength(1);
    expect(content.text).not.toMatch(/NaN|Infinity/);
  });

  it('has axes where there is nothing to draw', () => {
    const empty = lineChart({ label: 'empty', x: { title: 'x' }, y: { title: 'y' }, series: [] });
    expect(chartInPage(empty).text).not.toMatch(/NaN|Infinity|undefined/);
  });

  it('names categories', () => {
    const { content } = lineChart({
      label: 'by format',
      x: { title: 'format', categories: ['FP32', 'MXFP4'] },
      y: { title: 'accuracy', format: (value) => `${100 * value} %` },
      series: [
        {
          name: 'lmd',
          points: [
            { x: 0, y: 0.5 },
            { x: 1, y: 0.25 },
          ],
        },
      ],
    });
    for (const text of ['>FP32<', '>MXFP4<', ' %<']) expect(content.text).toContain(text);
  });

  it('is a file of its own with its style and its legend', () => {
    const file = chartFile(chart);
    expect(file).toContain('xmlns="http://www.w3.org/2000/svg"');
    expect(file).not.toContain('<script');
    expectWellFormed(file);
  });
});

describe('a density chart', () => {
  it('draws a histogram of unit mass with the densities beside it', () => {
    const { content, legend } = densityChart({
      label: 'log m',
      xTitle: 'log m',
      histograms: [
        { label: 'all', className: 'series-0', histogram: { from: -1, width: 0.5, counts: [1, 3, 3, 1] }, total: 8 },
      ],
      densities: [{ label: 'fit', className: 'series-0', density: (x) => Math.exp(-x * x) }],
      marks: { label: 'median', className: 'prior', at: [0] },
    });
    expect(legend.map(({ kind }) => kind)).toEqual(['area', 'line', 'triangle']);
    expect(content.text).not.toMatch(/NaN|undefined/);
  });
});

describe('comma-separated values', () => {
  it('keep numbers, quote what needs it, and disarm formulas', () => {
    const text = csv(
      ['a', 'b'],
      [
        ['=HYPERLINK("x")', -1],
        ['x,y', null],
        ['-2', true],
        ['line\nbreak', undefined],
      ],
    );
    expect(text).toBe('a,b\n"\'=HYPERLINK(""x"")",-1\n"x,y",\n\'-2,true\n"line\nbreak",\n');
  });
});
