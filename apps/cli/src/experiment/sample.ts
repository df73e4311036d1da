import { fillRandomUniform, streamOf } from '@lmd/core';
import { permutation } from '@lmd/training';
import type { Dimension } from './dimension.js';
import type { Options, Scalar } from './trial.js';

/** Number of candidate designs, of which the best is used. */
const candidates = 64;

/** A Latin hypercube: in each dimension, one random point in each of `count` equal intervals. */
function latinHypercube(count: number, dimensions: number, seed: number, name: string, candidate: number): number[][] {
  const jitter = new Float32Array(count * dimensions);
  fillRandomUniform(jitter, { seed, stream: streamOf(`search/${name}`), step: candidate, sample: 0 });
  const strata = Array.from({ length: dimensions }, (_, dimension) =>
    permutation(count, seed, `search/${name}/${dimension}`, candidate),
  );
  return Array.from({ length: count }, (_, point) =>
    strata.map((order, dimension) => (order[point]! + jitter[point * dimensions + dimension]!) / count),
  );
}

function leastDistance(points: readonly (readonly number[])[]): number {
  let least = Number.POSITIVE_INFINITY;
  for (let a = 0; a < points.length; a++) {
    for (let b = 0; b < a; b++) {
      const squares = points[a]!.map((value, dimension) => (value - points[b]![dimension]!) ** 2);
      least = Math.min(
        least,
        squares.reduce((sum, square) => sum + square, 0),
      );
    }
  }
  return least;
}

/**
 * `count` points in [0, 1)^dimensions, spread evenly in each dimension and in space: of 64 Latin hypercubes (McKay,
 * Beckman & Conover 1979), the one whose closest points are farthest apart (Johnson, Moore & Ylvisaker 1990).
 * Deterministic.
 */
export function spreadPoints(count: number, dimensions: number, seed: number, name: string): number[][] {
  let best = latinHypercube(count, dimensions, seed, name, 0);
  let distance = leastDistance(best);
  for (let candidate = 1; candidate < candidates; candidate++) {
    const points = latinHypercube(count, dimensions, seed, name, candidate);
    const found = leastDistance(points);
    if (found > distance) [best, distance] = [points, found];
  }
  return best;
}

function valueAt({ minimum, maximum, scale, choices }: Dimension, position: number): Scalar {
  if (choices !== undefined) return choices[Math.floor(position * choices.length)]!;
  const low = minimum!;
  const high = maximum!;
  const value = scale === 'log' ? low * (high / low) ** position : low + (high - low) * position;
  // More than three digits are not significant for a search.
  return Math.min(high, Math.max(low, Number(value.toPrecision(3))));
}

/** `count` points of an optimizer's space, the same for the same seed and name. */
export function samplePoints(
  search: { readonly [option: string]: Dimension },
  count: number,
  seed: number,
  name: string,
): Options[] {
  const dimensions = Object.entries(search).sort(([a], [b]) => (a < b ? -1 : 1));
  return spreadPoints(count, dimensions.length, seed, name).map((point) =>
    Object.fromEntries(dimensions.map(([option, dimension], index) => [option, valueAt(dimension, point[index]!)])),
  );
}
