import { escapeControls } from '@lmd/training/node';
import { describe, expect, it } from 'vitest';
import { coloursFor, wantsColour } from './colours.js';
import { bar, progressLine } from './progress-line.js';
import { showValue } from './show.js';
import { sparkline } from './sparkline.js';
import { SpeedMeter } from './speed.js';
import { renderTable } from './table.js';
import { bytes, count, decimal, duration, percent } from './units.js';
import { wrapText } from './wrap.js';

describe('units', () => {
  it('reads well', () => {
    expect([duration(7.4), duration(125), duration(3723), duration(-1)]).toEqual(['0:07', '2:05', '1:02:03', '0:00']);
    expect([bytes(300 * 2 ** 20), bytes(1.5 * 2 ** 30)]).toEqual(['300 MiB', '1.5 GiB']);
    expect([percent(0.96414), count(12345.6)]).toEqual(['96.41 %', '12,346']);
    expect([decimal(-Math.PI), decimal(0.00001234), decimal(0)]).toEqual(['−3.142', '1.23e−5', '0.000']);
  });
});

describe('table', () => {
  it('is as wide as its widest cells, numbers to the right', () => {
    const rows = [
      { name: 'lmd', value: 1 },
      { name: 'adamw', value: 12345 },
    ];
    const columns = [
      { title: 'optimizer', cell: (row: (typeof rows)[0]) => row.name },
      { title: 'loss', cell: (row: (typeof rows)[0]) => String(row.value), align: 'right' as const },
    ];
    expect(renderTable(columns, rows).split('\n')).toEqual([
      'optimizer   loss',
      '────────────────',
      'lmd            1',
      'adamw      12345',
    ]);
  });

  it('stacks its rows where the terminal is narrower', () => {
    const columns = [
      { title: 'optimizer', cell: ([name]: readonly string[]) => name! },
      { title: 'loss', cell: ([, loss]: readonly string[]) => loss!, align: 'right' as const },
      { title: 'note', cell: ([, , note]: readonly string[]) => note! },
    ];
    const rows = [
      ['lmd', '0.5', ''],
      ['adamw', '0.25', 'a note'],
    ];
    expect(renderTable(columns, rows, { columns: 20 }).split('\n')).toEqual([
      'optimizer  lmd',
      'loss       0.5',
      '',
      'optimizer  adamw',
      'loss       0.25',
      'note       a note',
    ]);
    expect(renderTable(columns, rows, { columns: 23 })).toContain('──');
  });

  it('keeps a row whole, whatever a name holds', () => {
    const columns = [{ title: 'tensor', cell: (name: string) => name }];
    expect(renderTable(columns, ['a\nerror\u001b[2J']).split('\n').slice(2)).toEqual(['a\\nerror\\u001b[2J']);
  });
});

describe('sparkline', () => {
  it('takes any number of values, and draws no bar for what is not finite', () => {
    expect(sparkline([0, 1, 2, 4, Number.NaN, Infinity, -1])).toBe(' ▃▅█   ');
    expect(sparkline([])).toBe('');
    expect(sparkline(new Array(300_000).fill(1))).toHaveLength(300_000);
  });
});

describe('progress line', () => {
  const progress = {
    optimizer: 'lmd',
    step: 50,
    steps: 200,
    loss: 0.4321,
    examplesPerSecond: 1234.5,
    examples: 'images',
    secondsLeft: 83,
  };

  it('shows bar, step, loss, images/s and time left', () => {
    expect(progressLine(progress, 100)).toBe(
      `lmd  ${'█'.repeat(8)}${'░'.repeat(22)}   50/200  loss 0.4321  1,235 images/s  1:23 left`,
    );
  });

  it('never exceeds the terminal, whatever its width', () => {
    for (let columns = 0; columns < 120; columns++) {
      expect(progressLine(progress, columns).length).toBeLessThanOrEqual(columns);
    }
  });

  it('fills the bar from empty to full and no further', () => {
    expect([bar(0, 4), bar(0.5, 4), bar(1, 4), bar(2, 4)]).toEqual(['░░░░', '██░░', '████', '████']);
  });
});

describe('speed', () => {
  it('is that of the last seconds', () => {
    const meter = new SpeedMeter(10);
    expect(meter.perSecond).toBe(0);
    meter.add(0, 0);
    meter.add(10, 100);
    expect(meter.perSecond).toBe(10);
    meter.add(15, 600);
    meter.add(20, 1100);
    expect(meter.perSecond).toBe(100);
  });
});

describe('colours', () => {
  it('are for terminals, unless NO_COLOR is set or the terminal has none', () => {
    expect(wantsColour({ isTTY: true }, { TERM: 'xterm' })).toBe(true);
    expect(wantsColour({ isTTY: true }, { TERM: 'xterm', NO_COLOR: '1' })).toBe(false);
    expect(wantsColour({ isTTY: true }, { TERM: 'xterm', NO_COLOR: '' })).toBe(true);
    expect(wantsColour({ isTTY: true }, { TERM: 'dumb' })).toBe(false);
    expect(wantsColour({}, { TERM: 'xterm' })).toBe(false);
  });

  it('leave no codes where they are off', () => {
    expect(coloursFor(false).red('x')).toBe('x');
    expect(escapeControls(coloursFor(true).red('x\u001b[31m'))).toBe('\u001b[31mx\\u001b[31m\u001b[39m');
  });
});

describe('wrapText', () => {
  it('breaks between words, indents what follows, and keeps long words whole', () => {
    expect(wrapText('error one two three', 11, 2)).toBe('error one\n  two three');
    expect(wrapText('  - a list item that is long', 16, 2)).toBe('  - a list item\n    that is long');
    expect(wrapText('see /a/very/long/path now', 10, 2)).toBe('see\n  /a/very/long/path\n  now');
    expect(wrapText(`${coloursFor(true).red('error')} one`, 9, 2)).not.toContain('\n');
    expect(wrapText('no terminal, no width', undefined)).toBe('no terminal, no width');
  });
});

describe('showValue', () => {
  it('shows any value of a file, short, and never throws', () => {
    const deep = JSON.parse('['.repeat(5000) + ']'.repeat(5000)) as unknown;
    expect([showValue(undefined), showValue('a'), showValue(Number.NaN)]).toEqual(['nothing', '"a"', 'NaN']);
    expect(showValue({ toString: 1 })).toBe('{"toString":1}');
    expect(showValue('x'.repeat(1e6)).length).toBeLessThan(200);
    expect(showValue(deep).length).toBeLessThan(200);
  });
});
