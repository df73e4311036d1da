import type { LayerPrecision } from '../precision.js';

export interface PrecisionArgs {
  /** See `LayerPrecision`. Default `mxfp6_e3m2`. */
  readonly precision?: LayerPrecision;
}

type Config = { [key: string]: unknown };

/**
 * Loading a model turns every string with an underscore into camel case, but for the value of a key `name`: so formats'
 * names are stored under that key.
 */
export function precisionToConfig(precision: LayerPrecision): Config {
  if (typeof precision === 'string') return { name: precision };
  if ('element' in precision) return { record: precision };
  return Object.fromEntries(
    Object.entries(precision)
      .filter(([, value]) => value !== undefined)
      .map(([option, value]) => [
        option,
        option === 'weights' || option === 'activations' ? precisionToConfig(value as LayerPrecision) : value,
      ]),
  );
}

/** What `precisionToConfig` made, or a precision as a caller writes it. */
export function precisionFromConfig(config: unknown): LayerPrecision {
  if (typeof config !== 'object' || config === null || 'element' in config) return config as LayerPrecision;
  if ('name' in config) return config.name as LayerPrecision;
  if ('record' in config) return config.record as LayerPrecision;
  return Object.fromEntries(
    Object.entries(config).map(([option, value]) => [
      option,
      option === 'weights' || option === 'activations' ? precisionFromConfig(value) : value,
    ]),
  ) as unknown as LayerPrecision;
}
