import { LmdError } from '@lmd/core';
import type { Gpt2Config } from './gpt2-config.js';

const published = { vocabularySize: 50257, contextLength: 1024 } as const;

/**
 * The four published sizes (Radford et al. 2019, named by their numbers of parameters), and two for a CPU: `nano`, 6
 * layers × 384 with the same vocabulary and a context of 256 tokens (nanoGPT's small configuration), and `char`, 4
 * layers × 128 over a vocabulary of 128 characters: override `vocabularySize` with the tokenizer's.
 */
export const gpt2Presets = {
  '124M': { ...published, width: 768, depth: 12, heads: 12 },
  '355M': { ...published, width: 1024, depth: 24, heads: 16 },
  '774M': { ...published, width: 1280, depth: 36, heads: 20 },
  '1558M': { ...published, width: 1600, depth: 48, heads: 25 },
  nano: { ...published, contextLength: 256, width: 384, depth: 6, heads: 6 },
  char: { vocabularySize: 128, contextLength: 64, width: 128, depth: 4, heads: 4 },
} as const satisfies { readonly [name: string]: Gpt2Config };

export type Gpt2PresetName = keyof typeof gpt2Presets;

/**
 * The configuration of that name, with some fields replaced: `gpt2(gpt2Preset('124M', { dropout: 0.1 }))`.
 *
 * @throws LmdError `INVALID_ARGUMENT` for another name; the message lists the names.
 */
export function gpt2Preset(name: string, overrides: Partial<Gpt2Config> = {}): Gpt2Config {
  if (!Object.hasOwn(gpt2Presets, name)) {
    throw new LmdError('INVALID_ARGUMENT', `Unknown GPT-2 preset ${JSON.stringify(name)}.`, {
      subject: 'preset',
      value: name,
      remedy: `Use one of ${Object.keys(gpt2Presets).join(', ')}, or write a Gpt2Config.`,
    });
  }
  return { ...gpt2Presets[name as Gpt2PresetName], ...overrides };
}
