import { z } from 'zod';

const named: Readonly<Record<string, number>> = {
  NaN: Number.NaN,
  Infinity: Number.POSITIVE_INFINITY,
  '-Infinity': Number.NEGATIVE_INFINITY,
};

/** A number in a JSON file. Non-finite numbers are strings, as `toJson` writes them. */
export const storedNumber = z.union([
  z.number(),
  z.literal(['NaN', 'Infinity', '-Infinity']).transform((name) => named[name]!),
]);
