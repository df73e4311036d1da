import { LmdError } from '@lmd/core';

/** What JSON can hold, and gives back unchanged. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** The numbers that JSON has none of, as the strings that stand for them in what `toJson` writes. */
const others: ReadonlyMap<string, number> = new Map([NaN, Infinity, -Infinity].map((value) => [String(value), value]));

/**
 * JSON in which numbers that are not finite are the strings "NaN", "Infinity" and "-Infinity", where `JSON.stringify`
 * writes null. Results of a run may be such numbers, and its files are to say so.
 *
 * @param indent as for `JSON.stringify`: on one line without it.
 */
export function toJson(value: unknown, indent?: number): string {
  const replace = (_: string, inner: unknown) =>
    typeof inner === 'number' && !Number.isFinite(inner) ? String(inner) : inner;
  return JSON.stringify(value, replace, indent);
}

/** Reads what `toJson` wrote, with the three strings as numbers again. Throws a `SyntaxError` as `JSON.parse` does. */
export function fromJson(text: string): unknown {
  return JSON.parse(text, (_, inner: unknown) => (typeof inner === 'string' ? (others.get(inner) ?? inner) : inner));
}

/**
 * Throws `INVALID_ARGUMENT` naming the place of a value that JSON would change or drop: NaN, infinities, undefined,
 * functions.
 */
export function assertJson(value: unknown, place: string): asserts value is Json {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return;
  if (typeof value === 'number' && Number.isFinite(value)) return;
  if (Array.isArray(value)) {
    value.forEach((item, index) => {
      assertJson(item, `${place}[${index}]`);
    });
    return;
  }
  const isRecord = typeof value === 'object' && [Object.prototype, null].includes(Object.getPrototypeOf(value));
  if (!isRecord) {
    throw new LmdError('INVALID_ARGUMENT', `${place} is ${String(value)}, which JSON cannot hold.`, {
      subject: place,
      value,
      remedy: 'Give null, a boolean, a finite number, a string, or arrays and plain records of them.',
    });
  }
  for (const [key, item] of Object.entries(value as object)) assertJson(item, `${place}.${key}`);
}

/**
 * Where two JSON values first differ, with both values, or undefined. Key order does not count; an absent key is
 * undefined.
 */
export function firstDifference(
  a: Json | undefined,
  b: Json | undefined,
  place = '',
): { readonly place: string; readonly a: Json | undefined; readonly b: Json | undefined } | undefined {
  if (isContainer(a) && isContainer(b) && Array.isArray(a) === Array.isArray(b)) {
    const left = a as { readonly [key: string]: Json };
    const right = b as { readonly [key: string]: Json };
    for (const key of new Set([...Object.keys(left), ...Object.keys(right)])) {
      const found = firstDifference(left[key], right[key], place === '' ? key : `${place}.${key}`);
      if (found !== undefined) return found;
    }
    return undefined;
  }
  return Object.is(a, b) || (a === 0 && b === 0) ? undefined : { place, a, b };
}

function isContainer(value: Json | undefined): value is readonly Json[] | { readonly [key: string]: Json } {
  return typeof value === 'object' && value !== null;
}
