import type { ConfigurationInput } from '../configuration/schema.js';
import { firstLight } from './first-light.js';
import { smoke } from './smoke.js';
import { speeches } from './speeches.js';

/** Configurations by name, for `lmd train <preset>`. */
export const presets = { 'first-light': firstLight, smoke, speeches } satisfies Record<string, ConfigurationInput>;

/** What each preset is for, in one line. */
export const presetDescriptions: Readonly<Record<keyof typeof presets, string>> = {
  'first-light': 'A small ViT on MNIST with LMD and with AdamW, both with an MXFP6 forward pass (minutes).',
  speeches:
    'A GPT-2 of 6 layers × 384 on the State of the Union speeches, with LMD and with AdamW (hours; see lmd data prepare).',
  smoke: 'A tiny ViT on a hundred made images: does everything work? (seconds)',
};
