import { fillRandomUniform, streamOf } from '@lmd/core';
import type { RuleOptions, Scalar } from '../study/rules.js';
import type { Dimension } from '../study/schema.js';

/**
 * The root above 1 of x^(d+1) = x + 1, whose inverse powers generate the R sequence of Martin Roberts (2018, "The unreasonable
 * effectiveness of quasirandom sequences"): a low-discrepancy sequence in d dimensions without tables, of which every prefix
 * fills the space evenly.
 */
function generator(dimensions: number): number {
  let root = 2;
  for (let iteration = 0; iteration < 64; iteration++) root = (1 + root) ** (1 / (dimensions + 1));
  return root;
}

/** Points `count` × `dimensions` in [0, 1): the R sequence, shifted by random numbers of the seed and the name. */
export function quasiRandomPoints(count: number, dimensions: number, seed: number, name: string): number[][] {
  const shifts = new Float32Array(Math.max(1, dimensions));
  fillRandomUniform(shifts, { seed, stream: streamOf(`search/${name}`), step: 0, sample: 0 });
  const root = generator(dimensions);
  return Array.from({ length: count }, (_, index) =>
    Array.from(
      { length: dimensions },
      (_, dimension) => (shifts[dimension]! + (index + 1) / root ** (dimension + 1)) % 1,
    ),
  );
}

function valueAt({ minimum, maximum, scale, choices }: Dimension, position: number): Scalar {
  if (choices !== undefined) return choices[Math.floor(position * choices.length)]!;
  const low = minimum!;
  const high = maximum!;
  const value = scale === 'log' ? low * (high / low) ** position : low + (high - low) * position;
  // Three digits say all that a search can tell, and read well in a table.
  return Math.min(high, Math.max(low, Number(value.toPrecision(3))));
}

/** `count` points of a rule's space, the same for the same seed and name. */
export function samplePoints(
  search: { readonly [option: string]: Dimension },
  count: number,
  seed: number,
  name: string,
): RuleOptions[] {
  const dimensions = Object.entries(search).sort(([a], [b]) => (a < b ? -1 : 1));
  return quasiRandomPoints(count, dimensions.length, seed, name).map((point) =>
    Object.fromEntries(dimensions.map(([option, dimension], index) => [option, valueAt(dimension, point[index]!)])),
  );
}
