import type { ConfigurationInput } from '../configuration/schema.js';
import { UsageError } from '../errors.js';
import { presets } from '../presets/index.js';
import type { Found } from './survey.js';

type Data = Exclude<ConfigurationInput['data'], string>;

/** `data` of a preset for other data of the same nature; undefined if the preset cannot train on it. */
function dataAt(data: Data, path: string, found: Found['kind']): Data | undefined {
  switch (found) {
    case 'images':
      return data.kind === 'imageFolder' ? { ...data, folder: path } : undefined;
    case 'csv': {
      if (data.kind !== 'imageFolder') return undefined;
      const { folder: _, ...shared } = data;
      return { ...shared, kind: 'imageCsv', path };
    }
    case 'mnist':
      return data.kind === 'mnist' || data.kind === 'fashion-mnist' ? { ...data, folder: path } : undefined;
    case 'text':
      return data.kind === 'text' ? { ...data, path } : undefined;
    case 'tokens':
      return data.kind === 'tokens' ? { ...data, folder: path } : undefined;
  }
}

const natures = {
  images: { what: 'a folder of images', preset: 'own-pictures' },
  csv: { what: 'a CSV file of images', preset: 'own-pictures' },
  mnist: { what: 'a folder of MNIST files', preset: 'digits' },
  text: { what: 'text', preset: 'own-text' },
  tokens: { what: 'a folder of prepared tokens', preset: 'speeches' },
} as const satisfies Record<Found['kind'], { readonly what: string; readonly preset: keyof typeof presets }>;

/**
 * A preset with data of one's own in place of its own.
 *
 * @param path the data.
 * @param name of the run.
 * @throws UsageError if the preset trains on another kind of data.
 */
export function presetForData(
  preset: keyof typeof presets,
  path: string,
  found: Found['kind'],
  name: string,
): ConfigurationInput {
  const configuration: ConfigurationInput = presets[preset];
  const data = dataAt(configuration.data as Data, path, found);
  if (data !== undefined) return { ...configuration, name, data };
  const { what, preset: fitting } = natures[found];
  throw new UsageError('INVALID_ARGUMENT', `--preset ${preset} cannot train on ${path}, which is ${what}.`, {
    subject: '--preset',
    value: preset,
    remedy: `Use --preset ${fitting}, or omit --preset for a configuration made for the data.`,
  });
}
