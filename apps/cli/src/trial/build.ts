import {
  adamw,
  clipByGlobalNorm,
  lmd,
  type Model,
  type Optimizer,
  parameterGroups,
  type Schedule,
  schedules,
} from '@lmd/core';
import { lmdParameter, vit, vitPreset } from '@lmd/models';
import type { DataConfiguration } from '../configuration/data-schema.js';
import type { ModelConfiguration } from '../configuration/model-schema.js';
import type { OptimizerConfiguration, ScheduleConfiguration } from '../configuration/optimizer-schema.js';

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

function learningRate(peak: number, steps: number, { kind, warmup, final }: ScheduleConfiguration): Schedule {
  const decay = { from: peak, to: final * peak, steps: Math.max(1, steps - warmup - 1) };
  const after = kind === 'constant' ? schedules.constant(peak) : schedules[kind](decay);
  return schedules.warmup(warmup, after);
}

/** The rule that a configuration describes, with its schedule over `steps` steps. */
export function buildOptimizer(configuration: OptimizerConfiguration, steps: number): Optimizer {
  const { schedule, clipNorm } = configuration;
  const rate = (peak: number) => learningRate(peak, steps, schedule);
  const clipped = (optimizer: Optimizer) =>
    clipNorm === undefined ? optimizer : clipByGlobalNorm(optimizer, clipNorm);
  if (configuration.rule === 'adamw') {
    const { name: _, rule: __, schedule: ___, clipNorm: ____, ...options } = configuration;
    return clipped(adamw({ ...options, learningRate: rate(options.learningRate) }));
  }
  const { name: _, rule: __, schedule: ___, clipNorm: ____, rest, ...options } = configuration;
  return clipped(
    parameterGroups([
      { match: lmdParameter, optimizer: lmd({ ...options, learningRate: rate(options.learningRate) }) },
      { match: '*', optimizer: adamw({ ...rest, learningRate: rate(rest.learningRate) }) },
    ]),
  );
}
