import { mergesOf, visible } from './byte-pairs.js';
import { gpt2Vocabulary } from './gpt2-tokenizer.js';
import { type CharacterDescription, endOfTextMark, type TokenizerDescription } from './tokenizer.js';

/**
 * The files of a tokenizer for transformers and transformers.js, by name: `AutoTokenizer` reads them.
 *
 * - GPT-2: `vocab.json` and `merges.txt`, as the original, with `tokenizer.json` and `tokenizer_config.json`.
 * - Characters: `tokenizer.json` (a `WordLevel` model of single characters) and `tokenizer_config.json`. A character
 *   that is not in the vocabulary is an error there too.
 *
 * Unlike `encode` of this package, both take `<|endoftext|>` in a text for the token between documents.
 *
 * @param contextLength maximum number of tokens of the model, as `model_max_length`.
 */
export async function tokenizerFiles(
  description: TokenizerDescription,
  { contextLength }: { readonly contextLength?: number } = {},
): Promise<{ readonly [name: string]: string }> {
  return description.name === 'gpt2' ? await gpt2Files(contextLength) : characterFiles(description, contextLength);
}

const json = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`;

function configOf(tokenizerClass: string, contextLength: number | undefined, more: object = {}): string {
  return json({
    tokenizer_class: tokenizerClass,
    bos_token: endOfTextMark,
    eos_token: endOfTextMark,
    clean_up_tokenization_spaces: false,
    ...(contextLength === undefined ? {} : { model_max_length: contextLength }),
    ...more,
  });
}

const addedToken = (id: number) => ({
  ...{ id, content: endOfTextMark, single_word: false, lstrip: false, rstrip: false },
  ...{ normalized: false, special: true },
});

async function gpt2Files(contextLength: number | undefined) {
  const tokens = await gpt2Vocabulary();
  const merges = mergesOf(tokens).map((pair) => pair.join(' '));
  const vocabulary = Object.fromEntries([...tokens.map(visible), endOfTextMark].map((text, token) => [text, token]));
  const byteLevel = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true };
  return {
    'vocab.json': JSON.stringify(vocabulary),
    'merges.txt': `#version: 0.2\n${merges.join('\n')}\n`,
    'tokenizer.json': json({
      version: '1.0',
      truncation: null,
      padding: null,
      added_tokens: [addedToken(tokens.length)],
      normalizer: null,
      pre_tokenizer: byteLevel,
      post_processor: { ...byteLevel, trim_offsets: false },
      decoder: byteLevel,
      model: {
        type: 'BPE',
        dropout: null,
        unk_token: null,
        continuing_subword_prefix: '',
        end_of_word_suffix: '',
        fuse_unk: false,
        byte_fallback: false,
        vocab: vocabulary,
        merges,
      },
    }),
    'tokenizer_config.json': configOf('GPT2Tokenizer', contextLength, {
      add_prefix_space: false,
      unk_token: endOfTextMark,
    }),
  };
}

function characterFiles({ characters }: CharacterDescription, contextLength: number | undefined) {
  const tokens = [...characters, endOfTextMark].map((text, token) => [text, token] as const);
  return {
    'tokenizer.json': json({
      version: '1.0',
      truncation: null,
      padding: null,
      added_tokens: [addedToken(characters.length)],
      normalizer: null,
      // Every character, line ends included, is a piece of its own.
      pre_tokenizer: { type: 'Split', pattern: { Regex: '[\\s\\S]' }, behavior: 'Isolated', invert: false },
      post_processor: null,
      decoder: { type: 'Fuse' },
      model: { type: 'WordLevel', vocab: Object.fromEntries(tokens), unk_token: '<|unknown|>' },
    }),
    'tokenizer_config.json': configOf('PreTrainedTokenizerFast', contextLength),
  };
}
