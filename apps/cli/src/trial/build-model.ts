import type { Model } from '@lmd/core';
import { vit, vitPreset } from '@lmd/models';
import type { DataConfiguration } from '../configuration/data-schema.js';
import type { ModelConfiguration } from '../configuration/model-schema.js';

/** What the data says about the network: images are square. */
export interface ImageGeometry {
  readonly imageSize: number;
  readonly channels: number;
  readonly classes: number;
}

export function imageGeometry(data: DataConfiguration): ImageGeometry {
  if (data.kind === 'mnist') return { imageSize: 28, channels: 1, classes: 10 };
  return { imageSize: data.size, channels: data.channels, classes: data.classes };
}

/** The network that a configuration describes. Throws an `LmdError` where its sizes do not fit together. */
export function buildModel({ kind: _, preset, ...sizes }: ModelConfiguration, data: DataConfiguration): Model {
  const given = Object.fromEntries(
    Object.entries({ ...sizes, ...imageGeometry(data) }).filter(([, value]) => value !== undefined),
  );
  return vit(preset === undefined ? (given as unknown as Parameters<typeof vit>[0]) : vitPreset(preset, given));
}
