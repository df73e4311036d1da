import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { architectureFigure, figure } from './architecture.mjs';

it('shows the packages that there are: run node dev/figures/architecture.mjs after adding one', () => {
  expect(architectureFigure()).toBe(readFileSync(figure, 'utf8'));
});
