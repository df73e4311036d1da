import { describe, expect, it } from 'vitest';
import { errorOf, reference, stirred } from '../test/support.js';
import { type GenerateTextOptions, generate, generateText, gpt2, stopSequenceFilter } from './index.js';

/** The text that a filter lets through, and whether it stopped. */
function filtered(sequences: readonly string[], pieces: readonly string[]): { text: string; stopped: boolean } {
  const filter = stopSequenceFilter(sequences);
  let shown = '';
  for (const piece of pieces) {
    const { text, stopped } = filter.push(piece);
    shown += text;
    if (stopped) return { text: shown, stopped };
  }
  return { text: shown + filter.end(), stopped: false };
}

describe('stopSequenceFilter', () => {
  it.each([
    [['\n\n'], ['one', '\n', '\n', 'two'], 'one', true],
    [['END'], ['ab', 'E', 'N', 'x', 'EN', 'D', 'c'], 'abENx', true],
    [['END'], ['abEN'], 'abEN', false],
    [['aab'], ['a', 'a', 'a', 'b'], 'a', true],
    [['abc', 'b'], ['a', 'b', 'c'], 'a', true],
    [['yz', 'xyz!'], ['xyz', '!'], 'x', true],
    [[], ['a', 'b'], 'ab', false],
  ] as const)('ends before the first of %j in %j', (sequences, pieces, text, stopped) => {
    expect(filtered(sequences, pieces)).toEqual({ text, stopped });
  });

  it('shows a piece as soon as it is not the beginning of a sequence', () => {
    const filter = stopSequenceFilter(['##']);
    expect(['a', '#', 'b', '#', '#'].map((piece) => filter.push(piece))).toEqual([
      { text: 'a', stopped: false },
      { text: '', stopped: false },
      { text: '#b', stopped: false },
      { text: '', stopped: false },
      { text: '', stopped: true },
    ]);
  });

  it('finds one sequence wherever the text is cut: every text of seven letters', () => {
    const texts = (length: number) =>
      Array.from({ length: 2 ** length }, (_, bits) => bits.toString(2).padStart(length, '0'));
    const sequences = [1, 2, 3].flatMap(texts);
    for (const text of texts(7)) {
      for (const sequence of sequences) {
        const at = text.indexOf(sequence);
        const expected = at < 0 ? { text, stopped: false } : { text: text.slice(0, at), stopped: true };
        for (const pieces of [[...text], text.match(/.{1,2}/g)!, text.match(/.{1,3}/g)!, [text]]) {
          expect(filtered([sequence], pieces)).toEqual(expected);
        }
      }
    }
  });
});

describe('generateText', () => {
  const { ops } = reference('f32');
  const model = gpt2({ vocabularySize: 13, contextLength: 12, width: 16, depth: 2, heads: 2 });
  const weights = stirred(ops, model.initialize(ops, 7));
  const letters = 'abcdefghijklm';
  const decoder = () => ({ push: (token: number) => letters[token]!, end: () => '' });
  const base = { ops, model, weights, prompt: [3, 1, 4], seed: 5 };

  async function parts(options: Partial<GenerateTextOptions>) {
    const before = ops.memory().tensors;
    const found = [];
    for await (const part of generateText({ ...base, decoder: decoder(), ...options })) found.push(part);
    expect(ops.memory().tensors, 'nothing is left behind').toBe(before);
    return { text: found.map(({ text }) => text).join(''), end: found.at(-1)!.end, tokens: found.length - 1 };
  }

  it('is the text of the tokens of generate, and says why it ended', async () => {
    let text = '';
    const tokens = generate({ ...base, maxTokens: 20 });
    for await (const token of tokens) text += letters[token];
    expect(await parts({ maxTokens: 20 })).toEqual({ text, end: 'length', tokens: 20 });
    const stop = [letters.indexOf(text[7]!)];
    const at = text.indexOf(text[7]!);
    expect(await parts({ maxTokens: 20, stop })).toEqual({ text: text.slice(0, at), end: 'stopToken', tokens: at });
  });

  it('ends before a text of several tokens, beyond the context too', async () => {
    const { text } = await parts({ maxTokens: 30 });
    const sequence = text.slice(16, 19);
    const at = text.indexOf(sequence);
    const stopped = await parts({ maxTokens: 30, stopSequences: ['never', sequence] });
    expect(stopped).toEqual({ text: text.slice(0, at), end: 'stopSequence', tokens: at + 3 });
  });

  it('frees everything where it is left', async () => {
    const before = ops.memory().tensors;
    for await (const _ of generateText({ ...base, decoder: decoder() })) break;
    expect(ops.memory().tensors).toBe(before);
  });

  it('refuses an empty stop sequence, at once', () => {
    const wrong = errorOf(() => generateText({ ...base, decoder: decoder(), stopSequences: [''] }));
    expect(wrong).toMatchObject({ code: 'INVALID_ARGUMENT', subject: 'stopSequences' });
  });
});
