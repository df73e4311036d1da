import type { ConfigurationInput } from '../configuration/schema.js';
import { firstLight } from './first-light.js';
import { smoke } from './smoke.js';

/** Configurations by name, for `lmd train <preset>`. */
export const presets = { 'first-light': firstLight, smoke } satisfies Record<string, ConfigurationInput>;

/** What each preset is for, in one line. */
export const presetDescriptions: Readonly<Record<keyof typeof presets, string>> = {
  'first-light': 'A small ViT on MNIST with LMD and with AdamW, both with an MXFP6 forward pass (minutes).',
  smoke: 'A tiny ViT on a hundred made images: does everything work? (seconds)',
};
