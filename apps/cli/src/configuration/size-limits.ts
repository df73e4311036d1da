import { sizeOf } from '@lmd/core';
import { memoryLimit } from '../engine/memory.js';
import { UsageError } from '../errors.js';
import { fileSize } from '../output/units.js';
import type { Network } from '../trial/build-model.js';
import type { Configuration } from './schema.js';

/** Maximum length of an f32 typed array in all supported versions of Node. */
const longestArray = 2 ** 31 - 1;

/** Rejects synthetic images that do not fit into memory, before any is generated. */
export function checkDataSize({ data }: Configuration, origin: string): void {
  if (data.kind !== 'synthetic') return;
  const { size, channels } = data;
  for (const part of ['train', 'validation', 'test'] as const) {
    const values = data[part] * size * size * channels;
    if (values <= longestArray && 4 * values <= memoryLimit('reference')) continue;
    throw new UsageError(
      'INVALID_ARGUMENT',
      `${origin}: data.${part} is ${data[part]}: images of ${size} × ${size} × ${channels} would take ` +
        `${fileSize(4 * values)}.`,
      { subject: `data.${part}`, value: data[part], remedy: 'Use fewer or smaller images.' },
    );
  }
}

/** Rejects a model whose weights (and gradients, if all are trained) exceed the memory of the backend. */
export function checkModelSize(
  { backend, fineTuning }: Configuration,
  { name, parameters }: Network,
  origin: string,
): void {
  const elements = Object.values(parameters).reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  const bytes = (fineTuning === undefined ? 8 : 4) * elements;
  const limit = memoryLimit(backend);
  if (bytes <= limit) return;
  throw new UsageError(
    'INVALID_ARGUMENT',
    `${origin}: model ${name} has ${elements.toLocaleString('en-GB')} parameters, which take at least ` +
      `${fileSize(bytes)}, but backend ${typeof backend === 'string' ? backend : backend.module} has ${fileSize(limit)} on this machine.`,
    { subject: 'model', value: elements, remedy: 'Use a smaller model.width or model.depth, or another backend.' },
  );
}
