import { didYouMean } from '@lmd/core';
import { UsageError } from '../errors.js';
import { showValue } from '../output/show.js';
import { presets } from '../presets/index.js';

type Keys = Readonly<Record<string, unknown>>;

function isObject(value: unknown): value is Keys {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * `over` on top of `under`: objects are merged key by key, everything else is replaced. An object of another `kind` is
 * replaced whole, since its other keys have other meanings.
 */
function merged(under: unknown, over: unknown): unknown {
  if (!isObject(under) || !isObject(over)) return over;
  if (over.kind !== undefined && over.kind !== under.kind) return over;
  const keys = Object.entries(over).map(([key, value]) => [key, merged(under[key], value)]);
  return { ...under, ...Object.fromEntries(keys) };
}

/**
 * The configuration of a file whose `preset` names a preset: the keys of the file on top of those of the preset. The
 * name of the run is that of the file.
 *
 * @param origin the path of the file, for errors.
 * @throws UsageError if there is no such preset.
 */
export function expandPreset(raw: object, origin: string): object {
  if (!('preset' in raw)) return raw;
  const { preset, ...own } = raw;
  if (typeof preset === 'string' && Object.hasOwn(presets, preset)) {
    const { name: _, ...keys } = presets[preset as keyof typeof presets];
    return merged(structuredClone(keys), own) as object;
  }
  const names = Object.keys(presets);
  const meant = typeof preset === 'string' ? didYouMean(preset, names) : '';
  throw new UsageError('INVALID_ARGUMENT', `${origin}: preset = ${showValue(preset)} is not allowed.${meant}`, {
    subject: 'preset',
    value: preset,
    remedy: `Allowed: ${names.join(', ')}.`,
  });
}
