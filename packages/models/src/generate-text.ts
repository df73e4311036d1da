import { type OptionsOf, type OptionTable, option, resolveOptions } from '@lmd/core';
import { generate, generateOptionTable } from './generate.js';
import { stopSequenceFilter } from './stop-sequences.js';

/** What makes text of tokens, one after another: `tokenizer.decoder()` of `@lmd/data/text`. */
export interface TokenDecoder {
  /** The text that this token completes; empty in the middle of a character. */
  push(token: number): string;
  /** The rest. */
  end(): string;
}

/** The options of `generateText` beside those of `generate`, declared once. */
const textOptionTable = {
  /** Decoder of the tokens, new or at its end, such as `tokenizer.decoder()`. An object; required. */
  decoder: option.object<TokenDecoder>({
    required: true,
    describe: 'Decoder of the tokens, new or at its end, such as `tokenizer.decoder()`.',
  }),
  /**
   * Texts that end the generation. A text may begin in one token and end in a later one; none of it is returned.
   * Default: none. A list of non-empty texts.
   */
  stopSequences: option.value<readonly string[]>({
    describe:
      'Texts that end the generation. A text may begin in one token and end in a later one; none of it is returned. ' +
      'Default: none.',
    allowed: 'a list of non-empty texts',
    check: (value) => Array.isArray(value) && value.every((text) => typeof text === 'string' && text !== ''),
  }),
} as const satisfies OptionTable;

export const generateTextOptionTable = { ...generateOptionTable, ...textOptionTable } as const satisfies OptionTable;

export interface GenerateTextOptions extends OptionsOf<typeof generateTextOptionTable> {}

/** Why a text ended: after `maxTokens`, at a token of `stop`, or at a text of `stopSequences`. */
export type TextEnd = 'length' | 'stopToken' | 'stopSequence';

/** A part of a generated text. */
export interface GeneratedText {
  /** Empty in the middle of a character, and while it may be the beginning of a stop sequence. */
  readonly text: string;
  /** The token that was generated; absent in the last part. */
  readonly token?: number;
  /** In the last part. */
  readonly end?: TextEnd;
}

/**
 * Generates the continuation of a prompt as text, part by part: one part for each token, and a last one with the reason
 * why it ended. Like `generate` otherwise.
 *
 * @throws LmdError as `generate`.
 */
export function generateText(options: GenerateTextOptions): AsyncGenerator<GeneratedText, void, undefined> {
  const { decoder, stopSequences = [], ...rest } = resolveOptions('generateText', generateTextOptionTable, options);
  const given = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined));
  return textOf(generate(given as unknown as typeof options), decoder, stopSequences);
}

async function* textOf(
  tokens: ReturnType<typeof generate>,
  decoder: TokenDecoder,
  stopSequences: readonly string[],
): AsyncGenerator<GeneratedText, void, undefined> {
  const filter = stopSequenceFilter(stopSequences);
  try {
    for (let next = await tokens.next(); ; next = await tokens.next()) {
      if (next.done) {
        const { text, stopped } = filter.push(decoder.end());
        yield stopped ? { text, end: 'stopSequence' } : { text: text + filter.end(), end: next.value };
        return;
      }
      const { text, stopped } = filter.push(decoder.push(next.value));
      yield { text, token: next.value };
      if (!stopped) continue;
      yield { text: '', end: 'stopSequence' };
      return;
    }
  } finally {
    await tokens.return('length');
  }
}
