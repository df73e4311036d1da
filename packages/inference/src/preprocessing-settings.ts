import { type ErrorCode, type ForeignSettings, foreignSettings, type ImagePreprocessing } from '@lmd/core';

const same = <Name extends string>(...names: readonly Name[]) =>
  Object.fromEntries(names.map((name) => [name, name])) as { readonly [N in Name]: N };

const known = Object.fromEntries(
  [
    'height',
    'width',
    'channels',
    'fit',
    'cropFraction',
    'interpolation',
    'mean',
    'standardDeviation',
    'orientation',
    'decoding',
  ].map((name) => [name, 'used'] as const),
);

/**
 * Checks the preprocessing of images that a file or a caller gives.
 *
 * @param file the source, as errors call it.
 * @throws LmdError `code` naming the setting, its value and what is allowed.
 */
export function parsePreprocessing(value: unknown, file: string, code: ErrorCode = 'DATA_CORRUPT'): ImagePreprocessing {
  const settings = foreignSettings(value, { file, known, code });
  const channels = settings.count('channels');
  const cropFraction = settings.positive('cropFraction');
  if (cropFraction > 1) settings.refuse('cropFraction', 'It must be above 0 and at most 1.');
  return {
    height: settings.count('height'),
    width: settings.count('width'),
    channels,
    fit: settings.choice('fit', same('crop', 'stretch')),
    cropFraction,
    interpolation: settings.choice('interpolation', same('bilinear', 'bicubic')),
    mean: perChannel(settings, 'mean', channels, Number.isFinite),
    standardDeviation: perChannel(settings, 'standardDeviation', channels, (x) => Number.isFinite(x) && x > 0),
    orientation: settings.choice('orientation', same('exif', 'stored')),
    // Models of earlier versions do not have it.
    ...(settings.has('decoding') ? { decoding: settings.choice('decoding', same('full', 'reduced')) } : {}),
  };
}

function perChannel(settings: ForeignSettings, name: string, channels: number, fits: (value: number) => boolean) {
  const value = settings.value(name);
  const isList = Array.isArray(value) && value.length === channels;
  if (isList && value.every((item) => typeof item === 'number' && fits(item))) return value as readonly number[];
  const sign = name === 'mean' ? '' : 'positive ';
  return settings.refuse(name, `It must be a list of ${channels} ${sign}numbers, one per channel.`);
}
