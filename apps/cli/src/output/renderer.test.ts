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
  const renderer = humanRenderer(
    { isTTY, columns: 80, write: (part) => (text += part) },
    coloursFor(false),
    () => clock,
  );
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

it('ends the redrawn line before other text', () => {
  let text = '';
  const renderer = humanRenderer({ isTTY: true, columns: 80, write: (part) => (text += part) }, coloursFor(false));
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
