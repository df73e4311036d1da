import { appendFileSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { MetricsLine } from '@lmd/training/node';
import { afterAll, describe, expect, it } from 'vitest';
import { coloursFor } from '../output/colours.js';
import { plot } from '../output/plot.js';
import { followMetrics } from './follow-metrics.js';
import { trialState } from './trial-state.js';
import { currentTrial, statusOf, type WatchedRun, watchFrame } from './watch-frame.js';

const folder = mkdtempSync(join(tmpdir(), 'lmd-watch-'));
afterAll(() => rmSync(folder, { recursive: true, maxRetries: 5 }));

const step = (at: number, loss = 1): MetricsLine => {
  return { type: 'step', step: at, epoch: 0, position: at - 1, loss, samples: 8, seconds: at / 2 };
};
const validation = (at: number, accuracy: number) =>
  ({ type: 'evaluation', step: at, split: 'validation', loss: 0.5, accuracy, seconds: 1 }) as unknown as MetricsLine;
const text = (...lines: MetricsLine[]) => lines.map((line) => `${JSON.stringify(line)}\n`).join('');

describe('plot', () => {
  it('has the largest value at the top, the smallest at an eighth, and gaps', () => {
    expect(plot([0, 1, Number.NaN, 0.5], 2)).toEqual([' █ ▁', '▁█ █']);
  });

  it('draws equal values in the middle', () => {
    expect(plot([3, 3], 2)).toEqual(['  ', '██']);
  });
});

describe('followMetrics', () => {
  it('gives complete lines only, reads what is new, and starts again when a resumed run replaces the file', () => {
    const path = join(folder, 'metrics.jsonl');
    const lines = followMetrics(path);
    expect(lines()).toEqual([]);
    const [first, second] = [text(step(1)), text(step(2))];
    writeFileSync(path, first + second.slice(0, 20));
    expect(lines().map((line) => line.step)).toEqual([1]);
    appendFileSync(path, `${second.slice(20)}not json\n`);
    expect(lines().map((line) => line.step)).toEqual([1, 2]);
    writeFileSync(`${path}.new`, text(step(1), step(2), step(3)));
    renameSync(`${path}.new`, path);
    expect(lines().map((line) => line.step)).toEqual([1, 2, 3]);
  });
});

describe('the display', () => {
  const lines = [...Array.from({ length: 40 }, (_, index) => step(index + 1, 2 - index / 40)), validation(20, 0.75)];
  const training = trialState('lmd', false, 100, lines);
  const waiting = trialState('adamw', false, 100, []);
  const run: WatchedRun = { name: 'digits', examples: 'images', trials: [training, waiting], isRunning: true };

  it('knows speed and time left from the metrics', () => {
    expect(training.examplesPerSecond).toBeCloseTo(16, 5);
    expect(training.secondsLeft).toBeCloseTo(30, 5);
  });

  it('has the curve of the optimizer that trains, and never more columns than the terminal', () => {
    expect(currentTrial(run)).toBe(training);
    for (const columns of [40, 79, 200]) {
      const frame = watchFrame(run, columns, coloursFor(false));
      for (const line of frame) expect([...line].length).toBeLessThanOrEqual(columns);
      expect(frame[0]).toBe('digits: training');
      expect(frame.join('\n')).toContain('training loss of lmd');
    }
    const frame = watchFrame(run, 79, coloursFor(false)).join('\n');
    expect(frame).toContain(' 40/100  loss 1.0250  16 images/s  0:30 left');
    expect(frame).toContain('validation after step 20: accuracy 75.00 %');
  });

  it('says what a run does', () => {
    expect(statusOf({ ...run, isRunning: false })).toBe('stopped');
    expect(statusOf({ ...run, trials: [{ ...training, isDone: true }], isRunning: false })).toBe('finished');
    expect(statusOf({ ...run, trials: [waiting], isRunning: false })).toBe('not begun');
    expect(watchFrame({ ...run, trials: [waiting] }, 60, coloursFor(false))).toHaveLength(2);
  });
});
