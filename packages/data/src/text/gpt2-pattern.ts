import { letters, numbers, whiteSpace } from './gpt2-classes.js';

/** `gpt2-classes.ts` as the inside of a character class of a regular expression with the flag `u`. */
function classOf(encoded: string): string {
  const steps = encoded.split(',').map((step) => Number.parseInt(step, 36));
  const point = (value: number) => `\\u{${value.toString(16)}}`;
  let text = '';
  let at = 0;
  for (let i = 0; i < steps.length; i += 2) {
    const first = at + steps[i]!;
    at = first + steps[i + 1]!;
    text += first === at ? point(first) : `${point(first)}-${point(at)}`;
  }
  return text;
}

const [letter, number, space] = [letters, numbers, whiteSpace].map(classOf) as [string, string, string];

/**
 * The pattern that splits a text before pairs are merged (Radford et al. 2019; `encoder.py` of GPT-2), with the
 * letters, numbers and white space of tiktoken. JavaScript's own classes do not serve: its `\s` lacks U+0085 and has
 * U+FEFF, and its `\p{L}` and `\p{N}` change with the version of Unicode of each engine, by which the same text would
 * have other tokens.
 */
export const gpt2Pattern = new RegExp(
  `'s|'t|'re|'ve|'m|'ll|'d| ?[${letter}]+| ?[${number}]+| ?[^${space}${letter}${number}]+|` +
    `[${space}]+(?![^${space}])|[${space}]+`,
  'gu',
);
