import { LmdError } from '@lmd/core';

/** Values that JSON represents without loss. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** Numbers that JSON cannot represent, by their strings in the output of `toJson`. */
const others: ReadonlyMap<string, number> = new Map([NaN, Infinity, -Infinity].map((value) => [String(value), value]));

/**
 * Serializes to JSON with non-finite numbers as the strings "NaN", "Infinity" and "-Infinity", which `JSON.stringify`
 * would replace by null. Results of a run may be such numbers.
 *
 * @param indent as for `JSON.stringify`; default: one line.
 */
export function toJson(value: unknown, indent?: number): string {
  const replace = (_: string, inner: unknown) =>
    typeof inner === 'number' && !Number.isFinite(inner) ? String(inner) : inner;
  return JSON.stringify(value, replace, indent);
}

/** Parses the output of `toJson`, converting the three strings to numbers. Throws a `SyntaxError` like `JSON.parse`. */
export function fromJson(text: string): unknown {
  return JSON.parse(text, (_, inner: unknown) => (typeof inner === 'string' ? (others.get(inner) ?? inner) : inner));
}

/**
 * Throws `INVALID_ARGUMENT` naming the location of a value that JSON would change or omit: NaN, infinities, undefined,
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
    throw new LmdError('INVALID_ARGUMENT', `${place} is ${String(value)}, which JSON cannot represent.`, {
      subject: place,
      value,
      remedy: 'Use null, a boolean, a finite number, a string, or arrays and plain records of them.',
    });
  }
  for (const [key, item] of Object.entries(value as object)) assertJson(item, `${place}.${key}`);
}

/**
 * The first difference of two JSON values, with both values, or undefined. Key order is ignored; an absent key is
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
