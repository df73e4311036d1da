import { SafetensorsError, show } from './errors.js';

const whitespace = new Set([' ', '\t', '\n', '\r']);
const integer = /0|[1-9][0-9]*/y;
const plain = /true|false|null|-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const loneSurrogate = /\p{Surrogate}/u;

/**
 * Parses the subset of JSON allowed in a header: objects without duplicate keys, strings, and lists of non-negative
 * integers. `JSON.parse` is not sufficient: it silently uses the last of duplicate keys, accepts the name `__proto__`,
 * and rounds large integers. The scanner is not recursive, so no header can exhaust the stack.
 */
export class HeaderScanner {
  #position = 0;

  constructor(readonly text: string) {}

  /** Calls `member` for each key, which must read the value; keys are unique within the object. */
  object(what: string, member: (key: string) => void): void {
    this.#expect('{', what);
    const seen = new Set<string>();
    if (this.#take('}')) return;
    do {
      this.#skipWhitespace();
      const key = this.string(`a name in ${what}`);
      if (seen.has(key))
        throw nameError(key, `is a duplicate in ${what}`, 'The file is ambiguous: write it again with unique names.');
      if (key === '__proto__')
        throw nameError(key, `is not allowed in ${what}`, 'Rename it: it has a special meaning in JavaScript.');
      seen.add(key);
      this.#expect(':', what);
      this.#skipWhitespace();
      member(key);
    } while (this.#take(','));
    this.#expect('}', what);
  }

  string(what: string): string {
    const end = this.#endOfString();
    if (end === undefined) throw this.#unexpected(`${what}, a string`);
    const quoted = this.text.slice(this.#position, end);
    let value: string;
    try {
      value = quoted.includes('\\') ? JSON.parse(quoted) : quoted.slice(1, -1);
    } catch (cause) {
      throw this.#unexpected(`${what}, a string with valid escapes`, cause);
    }
    if (loneSurrogate.test(value)) throw this.#unexpected(`${what}, a string without half a surrogate pair`);
    this.#position = end;
    return value;
  }

  /**
   * The position after the closing quote; undefined if no string begins here, or it contains a character that JSON
   * forbids. Not a regular expression, whose stack millions of escapes would exhaust.
   */
  #endOfString(): number | undefined {
    if (this.text[this.#position] !== '"') return undefined;
    for (let index = this.#position + 1; index < this.text.length; index++) {
      const code = this.text.charCodeAt(index);
      if (code === 0x22) return index + 1;
      if (code < 0x20) return undefined;
      if (code === 0x5c) index++;
    }
    return undefined;
  }

  integers(what: string): number[] {
    this.#expect('[', what);
    const values: number[] = [];
    if (this.#take(']')) return values;
    do {
      this.#skipWhitespace();
      integer.lastIndex = this.#position;
      const match = integer.exec(this.text);
      const value = match === null ? Number.NaN : Number(match[0]);
      if (!Number.isSafeInteger(value)) throw this.#unexpected(`${what}, a list of integers from 0 to 2^53 − 1`);
      this.#position = integer.lastIndex;
      values.push(value);
    } while (this.#take(','));
    this.#expect(']', what);
    return values;
  }

  /** A string, number, true, false or null. */
  plainValue(what: string): string | number | boolean | null {
    if (this.text[this.#position] === '"') return this.string(what);
    plain.lastIndex = this.#position;
    const match = plain.exec(this.text);
    if (match === null) throw this.#unexpected(`${what}, a string, number, true, false or null`);
    this.#position = plain.lastIndex;
    return JSON.parse(match[0]);
  }

  /** Only white space may follow, as at the end of any JSON text. */
  endOfText(): void {
    this.#skipWhitespace();
    if (this.#position < this.text.length) throw this.#unexpected('nothing after the end');
  }

  /** Only the spaces that pad the header may follow. */
  end(): void {
    while (this.text[this.#position] === ' ') this.#position++;
    if (this.#position < this.text.length) throw this.#unexpected('nothing but spaces after the header');
  }

  #take(character: string): boolean {
    this.#skipWhitespace();
    if (this.text[this.#position] !== character) return false;
    this.#position++;
    return true;
  }

  #expect(character: string, what: string): void {
    if (!this.#take(character)) throw this.#unexpected(`${JSON.stringify(character)} of ${what}`);
  }

  #skipWhitespace(): void {
    while (whitespace.has(this.text[this.#position] ?? '')) this.#position++;
  }

  #unexpected(expected: string, cause?: unknown): SafetensorsError {
    const found = this.text.slice(this.#position, this.#position + 20);
    return new SafetensorsError(
      'HEADER_INVALID',
      `The header has ${found === '' ? 'nothing' : show(found)} at character ${this.#position}, where ` +
        `${expected} was expected.`,
      {
        subject: 'header',
        value: found,
        remedy: 'This is not a safetensors file, or it is damaged. Download or write it again.',
        cause,
      },
    );
  }
}

export function nameError(name: string, problem: string, remedy: string): SafetensorsError {
  return new SafetensorsError('NAME_INVALID', `The name ${show(name)} ${problem}.`, {
    subject: name,
    value: name,
    remedy,
  });
}
