import { type OptionsOf, type OptionTable, option, resolveOptions } from '@lmd/core';
import { permutation } from '@lmd/training';
import { argumentError } from '../options.js';

const owner = 'holdOutText';

/** The options of `holdOutText`, declared once. */
export const holdOutTextOptionTable = {
  /** Fraction of the text to hold out, by characters. Above 0 and below 1; default 0.1. */
  fraction: option.number({
    above: 0,
    below: 1,
    default: 0.1,
    describe: 'Fraction of the text to hold out, by characters.',
  }),
  /**
   * `passages`: passages chosen by the seed. `end`: the end of the text, as in nanoGPT. `passages` or `end`; default
   * `passages`.
   */
  heldOut: option.choice(['passages', 'end'], {
    default: 'passages',
    describe: '`passages`: passages chosen by the seed. `end`: the end of the text, as in nanoGPT.',
  }),
  /** Random seed that selects the passages that are held out. A whole number, at least 0; default 0. */
  seed: option.integer({
    atLeast: 0,
    default: 0,
    describe: 'Random seed that selects the passages that are held out.',
  }),
} as const satisfies OptionTable;

export interface HoldOutTextOptions extends OptionsOf<typeof holdOutTextOptionTable> {}

/** A text in memory. */
export interface WholeDocument {
  readonly name: string;
  readonly text: string;
}

/** A passage is at most about this part of the whole text. */
const passagesOfText = 50;

/**
 * Holds out a fraction of a corpus of any number of documents. Documents longer than a twenty-fifth of the text are cut
 * into passages of about a fiftieth each, at the ends of lines where there are some; whole passages are held out, in a
 * random order, until they have the fraction. Neighbouring passages of one part stay together. With `heldOut: 'end'`,
 * the last characters of the corpus are held out instead. The result depends only on the documents and the options.
 *
 * @returns the documents of each part, named `name` if whole, `name@position` if cut.
 * @throws LmdError `INVALID_ARGUMENT` for documents that cannot be divided in two.
 */
export function holdOutText(
  documents: readonly WholeDocument[],
  options: HoldOutTextOptions = {},
): { readonly train: WholeDocument[]; readonly heldOut: WholeDocument[] } {
  const { fraction, heldOut, seed } = resolveOptions(owner, holdOutTextOptionTable, options);
  const total = documents.reduce((sum, { text }) => sum + text.length, 0);
  const divided = heldOut === 'end' ? atEnd(documents, total, fraction) : atRandom(documents, total, fraction, seed);
  if (divided.length < 2) {
    const remedy = 'Use more text: training and validation need at least one passage each.';
    throw argumentError(owner, 'the number of passages', divided.length, remedy);
  }
  const part = (isHeldOut: boolean) => joined(divided.filter((passage) => passage.isHeldOut === isHeldOut)).map(named);
  const named = ({ document, start, end }: Passage): WholeDocument => {
    const { name, text } = documents[document]!;
    return end - start === text.length ? { name, text } : { name: `${name}@${start}`, text: text.slice(start, end) };
  };
  return { train: part(false), heldOut: part(true) };
}

interface Passage {
  readonly document: number;
  readonly start: number;
  readonly end: number;
}

interface DividedPassage extends Passage {
  readonly isHeldOut: boolean;
}

/** Divides the corpus at one character, of which each part has at least one. */
function atEnd(documents: readonly WholeDocument[], total: number, fraction: number): DividedPassage[] {
  const position = Math.min(Math.max(1, Math.floor(total * (1 - fraction))), total - 1);
  let before = 0;
  return documents.flatMap(({ text }, document) => {
    const inside = Math.min(Math.max(0, position - before), text.length);
    before += text.length;
    return [
      { document, start: 0, end: inside, isHeldOut: false },
      { document, start: inside, end: text.length, isHeldOut: true },
    ].filter(({ start, end }) => end > start);
  });
}

/** Divides the corpus into passages, and draws as many of them as have the fraction; one at least is not held out. */
function atRandom(
  documents: readonly WholeDocument[],
  total: number,
  fraction: number,
  seed: number,
): DividedPassage[] {
  const passages = documents.flatMap(({ text }, document) => cut(text, total / passagesOfText, document));
  const isHeldOut = new Uint8Array(passages.length);
  let held = 0;
  for (const index of permutation(passages.length, seed, 'held-out-text', 0).subarray(0, passages.length - 1)) {
    if (held >= fraction * total) break;
    isHeldOut[index] = 1;
    held += passages[index]!.end - passages[index]!.start;
  }
  return passages.map((passage, index) => ({ ...passage, isHeldOut: isHeldOut[index] === 1 }));
}

function cut(text: string, size: number, document: number): Passage[] {
  const count = text.length < 2 * size ? 1 : Math.max(1, Math.floor(text.length / size));
  const passages: Passage[] = [];
  let start = 0;
  for (let index = 1; index <= count && start < text.length; index++) {
    const end = index === count ? text.length : boundary(text, Math.round((index * text.length) / count), size / 2);
    if (end > start) passages.push({ document, start, end });
    start = Math.max(start, end);
  }
  return passages;
}

/** The first end of a line from `from` within `reach`, otherwise of a word, otherwise of a character. */
function boundary(text: string, from: number, reach: number): number {
  const near = text.slice(from, from + reach);
  const line = near.indexOf('\n');
  const space = line >= 0 ? line : near.search(/\s/);
  if (space >= 0) return from + space + 1;
  const isInPair = /^[\uDC00-\uDFFF]$/.test(text.charAt(from));
  return isInPair ? from + 1 : from;
}

function joined(passages: readonly Passage[]): Passage[] {
  const result: Passage[] = [];
  for (const passage of passages) {
    const last = result.at(-1);
    if (last?.document === passage.document && last.end === passage.start) {
      result[result.length - 1] = { ...last, end: passage.end };
    } else result.push(passage);
  }
  return result;
}
