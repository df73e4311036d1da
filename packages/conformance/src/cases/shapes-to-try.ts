import type { Random } from '../random.js';

/** Shapes that find errors in loops: empty, scalar, extents of 1, no multiple of a vector, the largest rank. */
export const edgeShapes: readonly (readonly number[])[] = [
  [],
  [0],
  [1],
  [3, 0, 2],
  [1, 1, 1],
  [5],
  [63],
  [65],
  [1, 7],
  [7, 1],
  [2, 1, 3, 1, 2, 1],
];

/** The edge shapes, and a random one of each rank from 1 to 6. */
export function shapesToTry(random: Random): (readonly number[])[] {
  return [...edgeShapes, ...[1, 2, 3, 4, 5, 6].map((rank) => random.shape(rank))];
}

/** A random shape and two that broadcast to it: leading axes dropped, extents replaced by 1. */
export function broadcastPair(random: Random, rank: number): [number[], number[]] {
  const shape = random.shape(rank);
  const a = [...shape];
  const b = [...shape];
  for (let axis = 0; axis < rank; axis++) {
    const which = random.integer(0, 3);
    if (which === 0) a[axis] = 1;
    if (which === 1) b[axis] = 1;
  }
  const shortened = b.slice(random.integer(0, rank));
  return random.next() < 0.5 ? [a, shortened] : [shortened, a];
}

/** Pairs that broadcast: fixed awkward ones and a random one of each rank from 1 to 6. */
export function broadcastPairsToTry(random: Random): (readonly [readonly number[], readonly number[]])[] {
  return [
    [[], []],
    [[], [2, 3]],
    [[2, 3], []],
    [
      [3, 1],
      [1, 4],
    ],
    [[4], [2, 3, 4]],
    [
      [2, 3, 4],
      [3, 1],
    ],
    [[0], [1]],
    [
      [2, 1, 3],
      [2, 0, 1],
    ],
    [
      [1, 5, 1, 3],
      [2, 1, 4, 1],
    ],
    ...[1, 2, 3, 4, 5, 6].map((rank) => broadcastPair(random, rank)),
  ];
}

/** Values for which arithmetic errors are common. */
export const specialValues = [0, -0, 1, -1, 2.5, -2.5, 0.5, Infinity, -Infinity, NaN, 3e38, -3e38, 1e-30] as const;
