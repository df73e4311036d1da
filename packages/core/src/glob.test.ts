import { describe, expect, it } from 'vitest';
import { matchesGlob } from './index.js';

/** The same by a regular expression. */
const byRegExp = (pattern: string, name: string): boolean =>
  new RegExp(
    `^${pattern
      .split('*')
      .map((part) => part.replace(/[.]/g, '\\.'))
      .join('.*')}$`,
    's',
  ).test(name);

describe('matchesGlob', () => {
  it('agrees with a regular expression on every short pattern and name', () => {
    const texts = (alphabet: string, longest: number): string[] => {
      let all = [''];
      for (let length = 0; length < longest; length++) {
        all = ['', ...all.flatMap((text) => [...alphabet].map((character) => text + character))];
      }
      return [...new Set(all)];
    };
    const names = texts('ab.', 5);
    for (const pattern of texts('ab.*', 4)) {
      for (const name of names) expect(matchesGlob(pattern, name), `${pattern} ${name}`).toBe(byRegExp(pattern, name));
    }
  });

  it.each([`${'*a'.repeat(28)}*b`, `${'*'.repeat(28)}b`, `${'*'.repeat(100_000)}b`, `${'a*'.repeat(28)}b`])(
    'takes no time for many stars',
    (pattern) => {
      const start = performance.now();
      expect(matchesGlob(pattern, 'a'.repeat(2_000))).toBe(false);
      expect(performance.now() - start).toBeLessThan(1000);
    },
  );
});
