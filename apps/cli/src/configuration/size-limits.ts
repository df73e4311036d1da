import { sizeOf } from '@lmd/core';
import type { Gpt2, Vit } from '@lmd/models';
import { memoryLimit } from '../engine/memory.js';
import { UsageError } from '../errors.js';
import { fileSize } from '../output/units.js';
import type { Configuration } from './schema.js';

/** Elements of the longest typed array that all supported versions of Node make for f32. */
const longestArray = 2 ** 31 - 1;

/** Refuses made images that no memory holds, before any is made. */
export function checkDataSize({ data }: Configuration, origin: string): void {
  if (data.kind !== 'synthetic') return;
  const { size, channels } = data;
  for (const part of ['train', 'validation', 'test'] as const) {
    const values = data[part] * size * size * channels;
    if (values <= longestArray && 4 * values <= memoryLimit('reference')) continue;
    throw new UsageError(
      'INVALID_ARGUMENT',
      `${origin}: data.${part} is ${data[part]}: images of ${size} × ${size} × ${channels} would take ${fileSize(4 * values)}.`,
      { subject: `data.${part}`, value: data[part], remedy: 'Use fewer or smaller images.' },
    );
  }
}

/** Refuses a model whose weights, and gradients where all are trained, are more than the backend can hold. */
export function checkModelSize(
  { backend, fineTuning }: Configuration,
  { name, parameters }: Gpt2 | Vit,
  origin: string,
): void {
  const elements = Object.values(parameters).reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  const bytes = (fineTuning === undefined ? 8 : 4) * elements;
  const limit = memoryLimit(backend);
  if (bytes <= limit) return;
  throw new UsageError(
    'INVALID_ARGUMENT',
    `${origin}: model ${name} has ${elements.toLocaleString('en-GB')} parameters, which take ${fileSize(bytes)} at least; backend ${backend} holds ${fileSize(limit)} here.`,
    { subject: 'model', value: elements, remedy: 'Choose a smaller model.width or model.depth, or another backend.' },
  );
}
