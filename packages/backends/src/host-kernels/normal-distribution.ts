import { scaledComplement } from './error-function.js';

/**
 * Φ and φ of the standard normal distribution at every 1/64 from −14 to 14, beyond which float32 has only 0 and 1 for
 * Φ. Between them a Taylor series of four terms has a relative error below 2e-7 at ±14 and below 1e-9 for |x| < 4. That
 * takes half the time of an exponential and a rational function, and gives both functions.
 */
const perUnit = 64;
const reach = 14;
const centre = reach * perUnit;
const table = new Float64Array(2 * (2 * centre + 1));
for (let n = -centre; n <= centre; n++) {
  const x = n / perUnit;
  const kernel = Math.exp(-0.5 * x * x);
  const tail = 0.5 * kernel * scaledComplement(Math.abs(x) * Math.SQRT1_2);
  table[2 * (n + centre)] = x > 0 ? 1 - tail : tail;
  table[2 * (n + centre) + 1] = kernel / Math.sqrt(2 * Math.PI);
}
// At both ends, where all that is farther out ends up too, the limits.
table.fill(0, 0, 2);
table.set([1, 0], table.length - 2);

/** x·Φ(x). */
export function timesDistribution(x: number): number {
  const near = Math.min(reach, Math.max(-reach, x));
  const n = (near * perUnit + (centre + 0.5)) | 0;
  const grid = (n - centre) / perUnit;
  const h = near - grid;
  const a = -grid * h;
  const b = h * h;
  // ∫ φ from the grid point: φ₀·Σ (−1)ⁿ Heₙ(x₀) hⁿ⁺¹ / (n + 1)!
  const series = 1 + a * (1 / 2) + (a * a - b) * (1 / 6) + a * (a * a - 3 * b) * (1 / 24);
  return x * (table[2 * n]! + table[2 * n + 1]! * h * series);
}

/** Φ(x) + x·φ(x), the derivative of `timesDistribution`; 0 and 1 at ∓Infinity. */
export function timesDistributionDerivative(x: number): number {
  const near = Math.min(reach, Math.max(-reach, x));
  const n = (near * perUnit + (centre + 0.5)) | 0;
  const grid = (n - centre) / perUnit;
  const h = near - grid;
  const a = -grid * h;
  const b = h * h;
  const series = 1 + a * (1 / 2) + (a * a - b) * (1 / 6) + a * (a * a - 3 * b) * (1 / 24);
  const u = a - 0.5 * b;
  const growth = 1 + u * (1 + u * (1 / 2 + u * (1 / 6 + u * (1 / 24))));
  return table[2 * n]! + table[2 * n + 1]! * (h * series + near * growth);
}
