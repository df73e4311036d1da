import { terminalOutput } from '@lmd/training/node';
import { expect, it } from 'vitest';
import type { Event } from '../run/events.js';
import { coloursFor } from './colours.js';
import { humanRenderer, jsonRenderer } from './renderer.js';

const start = {
  type: 'start',
  optimizer: 'lmd',
  model: 'vit',
  backend: 'tfjs-wasm',
  device: 'wasm',
  dataset: 'made',
  totalSteps: 1000,
  parameters: 100,
  stateBytes: 1600,
  batchSize: 10,
  batchesPerEpoch: 5,
  startStep: 0,
} as const satisfies Event;

const stepAt = (step: number): Event => ({
  type: 'step',
  optimizer: 'lmd',
  step,
  epoch: 0,
  position: 0,
  loss: 1,
  samples: 10,
  seconds: 0,
});

/** Renders a run of 1000 steps, one a hundredth of a second. */
function render(isTTY: boolean): string {
  let text = '';
  let clock = 0;
  const stream = { isTTY, columns: isTTY ? 80 : undefined, write: (part: string) => (text += part) };
  const renderer = humanRenderer(terminalOutput(stream), coloursFor(false), () => clock);
  renderer.event(start);
  for (let step = 1; step <= 1000; step++) {
    clock += 0.01;
    renderer.event(stepAt(step));
  }
  renderer.clear();
  return text;
}

it('redraws one line at most ten times a second on a terminal', () => {
  const text = render(true);
  const frames = text.split('\r\u001b[2K');
  expect(frames.length).toBeGreaterThan(50);
  expect(frames.length).toBeLessThan(104);
  expect(text.split('\n')).toHaveLength(2);
  expect(text).toContain(' 1000/1000  loss 1.0000  1,000 images/s  0:00 left');
  for (const frame of frames.slice(1)) expect(frame.length).toBeLessThan(80);
});

it('prints a plain line every few seconds elsewhere', () => {
  const lines = render(false).trimEnd().split('\n');
  expect(lines).toHaveLength(4);
  expect(lines[2]).toMatch(/ 502\/1000 {2}loss 1\.0000 {2}1,000 images\/s {2}0:05 left$/);
  expect(lines.join('')).not.toContain('\u001b');
});

it('shows the progress of evaluations on a terminal, and of nothing else there', () => {
  const rendered = (isTTY: boolean) => {
    let text = '';
    let clock = 0;
    const output = terminalOutput({ isTTY, columns: 60, write: (part) => (text += part) });
    const renderer = humanRenderer(output, coloursFor(false), () => clock);
    renderer.event({ type: 'progress', optimizer: 'lmd', what: 'reading the data' });
    for (let done = 10; done <= 1000; done += 10) {
      clock += 0.01;
      renderer.event({ type: 'progress', optimizer: 'lmd', what: 'lmd  test', done, total: 1000 });
    }
    renderer.clear();
    return text;
  };
  const frames = rendered(true).split('\r\u001b[2K');
  expect(frames[1]).toBe('reading the data …');
  expect(frames.length).toBeGreaterThan(8);
  expect(frames.length).toBeLessThan(14);
  for (const frame of frames.slice(2, -1)) expect(frame).toMatch(/^lmd {2}test {2}[█░]{30} {2}[\d,]+\/1,000$/);
  expect(rendered(false)).toBe('');
});

it('ends the redrawn line before other text', () => {
  let text = '';
  const output = terminalOutput({ isTTY: true, columns: 80, write: (part) => (text += part) });
  const renderer = humanRenderer(output, coloursFor(false));
  renderer.event(start);
  renderer.event(stepAt(1));
  renderer.event({ type: 'warning', optimizer: 'lmd', step: 1, message: 'a checkpoint is cut' });
  expect(text.endsWith('\r\u001b[2Knote a checkpoint is cut\n')).toBe(true);
});

it('writes one JSON object a line', () => {
  let text = '';
  jsonRenderer({ write: (part) => (text += part) }).event(start);
  expect(JSON.parse(text)).toEqual(start);
  expect(text.endsWith('}\n')).toBe(true);
});

it('breaks lines between words on a narrow terminal', () => {
  let text = '';
  const output = terminalOutput({ isTTY: true, columns: 60, write: (part) => (text += part) });
  const device = 'CPU, WebAssembly with 128-bit SIMD and threads, 2 of them, version 1';
  humanRenderer(output, coloursFor(false)).event({ ...start, device });
  const lines = text.trimEnd().split('\n');
  expect(lines.length).toBeGreaterThan(1);
  for (const line of lines) expect(line.length).toBeLessThanOrEqual(60);
  expect(lines.map((line) => line.trim()).join(' ')).toBe(`train lmd: vit on ${device}`);
});

it('writes numbers that JSON lacks as strings', () => {
  let text = '';
  jsonRenderer({ write: (part) => (text += part) }).event({ ...stepAt(1), loss: Number.NaN } as Event);
  expect(JSON.parse(text)).toMatchObject({ type: 'step', loss: 'NaN' });
});

it('shows a result that is no number as NaN', () => {
  let text = '';
  humanRenderer({ write: (part) => (text += part) }, coloursFor(false)).event({
    type: 'result',
    skipped: false,
    optimizer: 'lmd',
    format: 'fp32',
    testAccuracy: 0,
    testLoss: Number.NaN,
    seconds: 1,
    imagesPerSecond: 1,
    peakMemoryBytes: 1,
  });
  expect(text).toContain('test accuracy 0.00 %, loss NaN');
});
