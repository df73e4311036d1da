import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { figure, values, weightsFigure } from './weights.mjs';

it('shows the weights of the run whose results the README has', () => {
  expect(weightsFigure(JSON.parse(readFileSync(values, 'utf8')))).toBe(readFileSync(figure, 'utf8'));
});
