import type { Random } from '../random.js';
import { floats, integers, type Values } from '../values.js';
import { specialValues } from './shapes-to-try.js';

/** Values that only a bit-identical copy reproduces. */
export function contents(random: Random, shape: readonly number[]): [Values, Values] {
  return [
    floats(shape, (i) => (random.next() < 0.2 ? random.pick(specialValues) : i + 0.25)),
    integers(shape, () => random.pick([-2147483648, 2147483647, 16777217, random.integer(-999, 999)])),
  ];
}
