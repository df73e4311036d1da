import { permutation } from '@lmd/training';

/**
 * The two-sample energy test (Székely & Rizzo 2004): the energy distance 2E|a − b| − E|a − a′| − E|b − b′| of two
 * samples of points, and the share of random relabellings with one at least as large, the p-value. It sees differences
 * in any moment and in the dependence of coordinates, and assumes no distribution.
 *
 * @param a row-major [points, dimensions]; `b` likewise.
 */
export function energyTest(a: Float32Array, b: Float32Array, dimensions: number, seed: number, relabellings = 199) {
  const both = Float32Array.from([...a, ...b]);
  const count = both.length / dimensions;
  const first = a.length / dimensions;
  const distances = new Float64Array(count * count);
  for (let i = 0; i < count; i++) {
    for (let j = 0; j < i; j++) {
      let square = 0;
      for (let d = 0; d < dimensions; d++) square += (both[i * dimensions + d]! - both[j * dimensions + d]!) ** 2;
      distances[i * count + j] = distances[j * count + i] = Math.sqrt(square);
    }
  }
  const weights = [1 / first, -1 / (count - first)];
  const energyOf = (order: Int32Array) => {
    let sum = 0;
    for (let i = 0; i < count; i++) {
      const row = order[i]! * count;
      for (let j = 0; j < i; j++) {
        sum -= 2 * weights[i < first ? 0 : 1]! * weights[j < first ? 0 : 1]! * distances[row + order[j]!]!;
      }
    }
    return sum;
  };
  const distance = energyOf(Int32Array.from({ length: count }, (_, index) => index));
  let larger = 1;
  for (let round = 0; round < relabellings; round++) {
    if (energyOf(permutation(count, seed, 'energy-test', round)) >= distance) larger += 1;
  }
  return { distance, pValue: larger / (relabellings + 1) };
}
