import { describe, expect, it } from 'vitest';
import { coloursFor, wantsColour } from './colours.js';
import { bar, progressLine } from './progress-line.js';
import { SpeedMeter } from './speed.js';
import { nearest } from './suggest.js';
import { renderTable } from './table.js';
import { bytes, count, decimal, duration, percent } from './units.js';

describe('suggestions', () => {
  it('names the nearest word that may have been meant, or none', () => {
    expect(nearest('learningrate', ['learningRate', 'beta1'])).toBe('learningRate');
    expect(nearest('stpes', ['seed', 'steps'])).toBe('steps');
    expect(nearest('frob', ['seed', 'steps'])).toBeUndefined();
    expect(nearest('x', [])).toBeUndefined();
  });
});

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
    expect(coloursFor(true).red('x')).toBe('\u001b[31mx\u001b[39m');
  });
});
