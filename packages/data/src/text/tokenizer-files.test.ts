import { describe, expect, it } from 'vitest';
import { charactersOf, gpt2Tokenizer, tokenizerFiles } from './index.js';

const sample = "It's  a naïve 😀 test:\n\n1234 don't… ünïcode\tend ";

/** Byte-pair encoding by a list of merges, the plain way. */
function mergePairs(word: string, ranks: ReadonlyMap<string, number>): string[] {
  const parts = [...word];
  for (;;) {
    let [best, at] = [Number.POSITIVE_INFINITY, -1];
    for (let i = 0; i + 1 < parts.length; i++) {
      const rank = ranks.get(`${parts[i]} ${parts[i + 1]}`) ?? Number.POSITIVE_INFINITY;
      if (rank < best) [best, at] = [rank, i];
    }
    if (at < 0) return parts;
    parts.splice(at, 2, parts[at]! + parts[at + 1]!);
  }
}

describe('tokenizerFiles', () => {
  it("writes GPT-2's vocabulary and merges, by which each token is made of its own bytes", async () => {
    const files = await tokenizerFiles({ name: 'gpt2' }, { contextLength: 1024 });
    const vocabulary: { [text: string]: number } = JSON.parse(files['vocab.json']!);
    const [version, ...merges] = files['merges.txt']!.trimEnd().split('\n');
    expect(version).toBe('#version: 0.2');
    // The first and the last of the published file.
    expect([merges.length, merges[0], merges.at(-1)]).toEqual([50_000, 'Ġ t', 'Ġg azed']);
    expect(Object.keys(vocabulary)).toHaveLength(50257);
    expect([vocabulary['!'], vocabulary.Ġthe, vocabulary['<|endoftext|>']]).toEqual([0, 262, 50256]);
    const ranks = new Map(merges.map((pair, rank) => [pair, rank]));
    for (const [text, token] of Object.entries(vocabulary)) {
      if (token < 50256) expect(mergePairs(text, ranks)).toEqual([text]);
    }
    const { encode } = await gpt2Tokenizer();
    const [word] = encode(' gazed');
    expect(vocabulary.Ġgazed).toBe(word);
    const { model, added_tokens } = JSON.parse(files['tokenizer.json']!);
    expect(model).toMatchObject({ type: 'BPE', vocab: vocabulary, merges });
    expect(added_tokens[0]).toMatchObject({ id: 50256, special: true });
    expect(JSON.parse(files['tokenizer_config.json']!)).toMatchObject({ model_max_length: 1024 });
  });

  it('writes characters as words of one character', async () => {
    const characters = charactersOf([sample]);
    const files = await tokenizerFiles({ name: 'characters', characters });
    expect(Object.keys(files)).toEqual(['tokenizer.json', 'tokenizer_config.json']);
    const { model, pre_tokenizer } = JSON.parse(files['tokenizer.json']!);
    expect(model.vocab).toEqual({
      ...Object.fromEntries(characters.map((c, i) => [c, i])),
      '<|endoftext|>': characters.length,
    });
    expect(sample.match(new RegExp(pre_tokenizer.pattern.Regex, 'gu'))).toEqual([...sample]);
    expect(JSON.parse(files['tokenizer_config.json']!)).not.toHaveProperty('model_max_length');
  });
});
