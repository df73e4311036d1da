import type { ConfigurationInput } from '../configuration/schema.js';
import { firstLight } from './first-light.js';
import { smoke } from './smoke.js';
import { speeches } from './speeches.js';
import { clothes, digits, ownPictures, ownText } from './tasks.js';

/** Configurations by name, for `lmd train <preset>`. */
export const presets = {
  'first-light': firstLight,
  digits,
  clothes,
  'own-pictures': ownPictures,
  'own-text': ownText,
  speeches,
  smoke,
} satisfies Record<string, ConfigurationInput>;

/** A description of each preset in one line. */
export const presetDescriptions: Readonly<Record<keyof typeof presets, string>> = {
  'first-light': 'A small ViT on MNIST with LMD and AdamW, both with an MXFP6 forward pass (takes minutes).',
  digits: 'A small ViT on MNIST with LMD at the recommended settings, in 300 steps.',
  clothes: 'A small ViT on Fashion-MNIST with LMD at the recommended settings, in 200 steps.',
  'own-pictures':
    'A small ViT on 32 × 32 pixels of your own pictures, in 400 steps: lmd train <folder> --preset own-pictures.',
  'own-text': 'A small GPT-2 on the characters of your own text, in 400 steps: lmd train <file> --preset own-text.',
  speeches:
    'A GPT-2 (6 layers of width 384) on the State of the Union speeches, with LMD and AdamW ' +
    '(takes hours; prepare the text with lmd data prepare).',
  smoke: 'A tiny ViT on a hundred synthetic images, to check that everything works (takes seconds).',
};
