import { LmdError } from '@lmd/core';
import type { VitConfig } from './vit-config.js';

/** Widths of Dosovitskiy et al. 2021 (table 1), Touvron et al. 2021 (Ti, S) and Zhai et al. 2022. */
const sizes = {
  Ti: { width: 192, depth: 12, heads: 3 },
  S: { width: 384, depth: 12, heads: 6 },
  B: { width: 768, depth: 12, heads: 12 },
  L: { width: 1024, depth: 24, heads: 16 },
  H: { width: 1280, depth: 32, heads: 16 },
} as const;

const imagenet = { imageSize: 224, channels: 3, classes: 1000 } as const;
const cifar10 = { imageSize: 32, channels: 3, classes: 10 } as const;

/**
 * Configurations by their names in the literature, `<size>/<patch size>`: for ImageNet with 224 pixels and 1000
 * classes, and `/4` for 32×32 pixels and 10 classes. `tiny` is for MNIST's 28×28 grey images on a CPU: 16 patches of
 * 7×7 pixels and mean pooling, which needs no class token and gives every patch a gradient from the first step. The
 * head width is 32, one MX block.
 */
export const vitPresets = {
  'Ti/8': { ...imagenet, ...sizes.Ti, patchSize: 8 },
  'S/8': { ...imagenet, ...sizes.S, patchSize: 8 },
  'B/8': { ...imagenet, ...sizes.B, patchSize: 8 },
  'L/8': { ...imagenet, ...sizes.L, patchSize: 8 },
  'Ti/16': { ...imagenet, ...sizes.Ti, patchSize: 16 },
  'S/16': { ...imagenet, ...sizes.S, patchSize: 16 },
  'S/32': { ...imagenet, ...sizes.S, patchSize: 32 },
  'B/16': { ...imagenet, ...sizes.B, patchSize: 16 },
  'B/32': { ...imagenet, ...sizes.B, patchSize: 32 },
  'L/16': { ...imagenet, ...sizes.L, patchSize: 16 },
  'L/32': { ...imagenet, ...sizes.L, patchSize: 32 },
  'H/14': { ...imagenet, ...sizes.H, patchSize: 14 },
  'Ti/4': { ...cifar10, ...sizes.Ti, patchSize: 4 },
  'S/4': { ...cifar10, ...sizes.S, patchSize: 4 },
  'B/4': { ...cifar10, ...sizes.B, patchSize: 4 },
  'L/4': { ...cifar10, ...sizes.L, patchSize: 4 },
  tiny: {
    imageSize: 28,
    channels: 1,
    classes: 10,
    patchSize: 7,
    width: 64,
    depth: 2,
    heads: 2,
    mlpWidth: 256,
    pooling: 'mean',
  },
} as const satisfies { readonly [name: string]: VitConfig };

export type VitPresetName = keyof typeof vitPresets;

/**
 * The configuration of that name, with some fields replaced: `vit(vitPreset('Ti/16', { classes: 10 }))`.
 *
 * @throws LmdError `INVALID_ARGUMENT` for another name; the message lists the names.
 */
export function vitPreset(name: string, overrides: Partial<VitConfig> = {}): VitConfig {
  if (!Object.hasOwn(vitPresets, name)) {
    throw new LmdError('INVALID_ARGUMENT', `Unknown ViT preset ${JSON.stringify(name)}.`, {
      subject: 'preset',
      value: name,
      remedy: `Use one of ${Object.keys(vitPresets).join(', ')}, or write a VitConfig.`,
    });
  }
  return { ...vitPresets[name as VitPresetName], ...overrides };
}
