/** Unsigned 32-bit words by the generator mulberry32 (T. Ettinger, public domain): the same on every machine. */
export function randomWords(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

const fragments = [
  'null',
  '{}',
  '[]',
  '-1',
  '1e999',
  '0.5',
  '"',
  '\\"',
  '\\n',
  '"NaN"',
  ':',
  ',',
  '}',
  '__proto__',
  '\0',
  '\ud800',
];

const odd: readonly unknown[] = [null, -1, 2.5, 1e308, 2 ** 53, '', 'NaN', [], {}, true, { data: null }, ['x'], 0];

/** A copy of a JSON value with one thing in it replaced by another or left out; typed arrays stay as they are. */
export function forge(value: unknown, random: (below: number) => number): unknown {
  const isContainer = typeof value === 'object' && value !== null && !ArrayBuffer.isView(value);
  const keys = isContainer ? Object.keys(value) : [];
  if (keys.length === 0 || random(6) === 0) return odd[random(odd.length)];
  const chosen = keys[random(keys.length)]!;
  const entries = Object.entries(value as object);
  if (random(8) === 0) return Object.fromEntries(entries.filter(([key]) => key !== chosen));
  return Object.fromEntries(entries.map(([key, inner]) => [key, key === chosen ? forge(inner, random) : inner]));
}

/** The text, damaged in one to four places: cut, doubled, or with something else in it. */
export function mutateText(text: string, random: (below: number) => number): string {
  let result = text;
  for (let changes = 1 + random(4); changes > 0; changes--) {
    const at = random(result.length + 1);
    const rest = result.slice(at + random(12));
    const by = [
      '',
      fragments[random(fragments.length)]!,
      String.fromCharCode(random(128)),
      result.slice(at, at + random(80)),
    ][random(4)]!;
    result = random(16) === 0 ? result.slice(0, at) : result.slice(0, at) + by + rest;
  }
  return result;
}
