import { createReferenceBackend } from '@lmd/backends/reference';
import { createOperations } from '@lmd/core';
import { expect, it } from 'vitest';
import type { Process } from '../process.js';
import { energyTest } from './energy-test.js';
import { drawMixture, mixtureScore, threeModes } from './mixture.js';

const process: Process = { drift: 0.5, volatility: 0.6, duration: 1, power: 1, weighted: false };

/** log p_t(x), up to a constant: a mixture of normals for log x, times the Jacobian 1/x. */
function logDensity(x: readonly number[], t: number): number {
  const { drift, volatility } = process;
  const terms = threeModes.map(({ share, mean, deviation }) => {
    const variance = deviation ** 2 + volatility ** 2 * t;
    const square = x.reduce((sum, v, d) => sum + (Math.log(v) - mean[d]! - (drift - volatility ** 2 / 2) * t) ** 2, 0);
    return share * variance ** (-x.length / 2) * Math.exp(-square / (2 * variance));
  });
  return Math.log(terms.reduce((a, b) => a + b)) - x.reduce((sum, v) => sum + Math.log(v), 0);
}

it.each([0.05, 0.4, 1])('has the score that is x times the derivative of the log density, at t = %d', async (t) => {
  const ops = createOperations(createReferenceBackend());
  const points = drawMixture(threeModes, 8, 1);
  const x = ops.fromData(points, [8, 2, 2, 1]);
  const score = await ops.read(mixtureScore(threeModes, process)(ops, x, ops.full([8, 1, 1, 1], t)));
  for (const at of points.keys()) {
    const point = [...points.subarray(at - (at % 4), at - (at % 4) + 4)];
    const moved = (factor: number) =>
      logDensity(
        point.map((v, d) => (d === at % 4 ? v * factor : v)),
        t,
      );
    const derivative = (moved(1 + 1e-5) - moved(1 - 1e-5)) / 2e-5;
    expect(Math.abs(score[at]! - derivative)).toBeLessThan(1e-3 * (1 + Math.abs(derivative)));
  }
});

it('draws components by their shares', () => {
  const draws = drawMixture(threeModes, 5000, 2);
  // Only the first component has log x₁ < 0.35 and log x₃ > 0.35 with log x₀ < 0.35.
  const first = Array.from({ length: 5000 }, (_, row) => Math.log(draws[4 * row]!) < 0.35).filter(Boolean).length;
  expect(Math.abs(first / 5000 - 0.5)).toBeLessThan(0.03);
});

it('the energy test sees another share of the modes, and not the same distribution', () => {
  const logs = (seed: number, mixture = threeModes) => drawMixture(mixture, 300, seed).map(Math.log);
  expect(energyTest(logs(1), logs(2), 4, 0).pValue).toBeGreaterThan(0.05);
  const twoModes = threeModes.slice(0, 2).map((component) => ({ ...component, share: 0.5 }));
  expect(energyTest(logs(1), logs(2, twoModes), 4, 0).pValue).toBeLessThan(0.02);
});
