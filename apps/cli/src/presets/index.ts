import type { ConfigurationInput } from '../configuration/schema.js';
import { firstLight } from './first-light.js';
import { smoke } from './smoke.js';
import { speeches } from './speeches.js';

/** Configurations by name, for `lmd train <preset>`. */
export const presets = { 'first-light': firstLight, smoke, speeches } satisfies Record<string, ConfigurationInput>;

/** A description of each preset in one line. */
export const presetDescriptions: Readonly<Record<keyof typeof presets, string>> = {
  'first-light': 'A small ViT on MNIST with LMD and AdamW, both with an MXFP6 forward pass (takes minutes).',
  speeches:
    'A GPT-2 (6 layers of width 384) on the State of the Union speeches, with LMD and AdamW ' +
    '(takes hours; prepare the text with lmd data prepare).',
  smoke: 'A tiny ViT on a hundred synthetic images, to check that everything works (takes seconds).',
};
