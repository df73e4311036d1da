import { existsSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { showValue } from '@lmd/core';
import type { Dataset } from '@lmd/training';
import { type DataConfiguration, dataSchema } from '../configuration/data-schema.js';
import { configurationError } from '../configuration/explain.js';
import { loadConfiguration, readJsonFile } from '../configuration/load.js';
import type { Configuration } from '../configuration/schema.js';
import { geometryOf, loadData, locateData } from '../data/index.js';
import type { Geometry } from '../data/source.js';
import { UsageError } from '../errors.js';
import { locateModules } from '../modules/locate.js';
import { presets } from '../presets/index.js';
import { configurationOf } from '../run/run.js';

const option = '--out-of-distribution';

/** Data of another distribution than that of a run. */
export interface OtherData {
  readonly name: string;
  /** Its test examples, whose labels are ignored. */
  readonly dataset: Dataset;
  close(): Promise<void>;
}

/**
 * Opens the data that `--out-of-distribution` names: a preset, a configuration or a run, whose test examples are used;
 * a JSON file or text with the keys of `data`; a folder of images; or the name of a kind of data that needs no other
 * key.
 *
 * @throws UsageError if its examples do not have the shape of the run's.
 */
export async function openOtherData(given: string, configuration: Configuration): Promise<OtherData> {
  const { data, seed, name } = otherDataOf(given, configuration);
  const located = locateData(data);
  const loaded = await loadData(located, seed);
  try {
    checkSameInputs(given, geometryOf(located), geometryOf(configuration.data));
  } catch (error) {
    await loaded.close?.();
    throw error;
  }
  return { name, dataset: loaded.test, close: async () => loaded.close?.() };
}

interface Named {
  readonly name: string;
  readonly data: DataConfiguration;
  readonly seed: number;
}

function otherDataOf(given: string, configuration: Configuration): Named {
  const seed = configuration.dataSeed ?? configuration.seed;
  const whole = (of: Configuration): Named => ({ name: of.name, data: of.data, seed: of.dataSeed ?? of.seed });
  if (Object.hasOwn(presets, given)) return whole(loadConfiguration(given));
  if (given.trimStart().startsWith('{')) {
    const data = parseData(parseText(given), process.cwd());
    return { name: data.kind, data, seed };
  }
  const stats = statSync(given, { throwIfNoEntry: false });
  if (stats?.isFile()) {
    const raw = readJsonFile(given);
    if (typeof raw === 'object' && raw !== null && 'data' in raw) return whole(loadConfiguration(given));
    return { name: basename(given), data: parseData(raw, dirname(resolve(given))), seed };
  }
  if (stats?.isDirectory()) {
    if (existsSync(join(given, 'config.json'))) return whole(configurationOf(resolve(given)));
    return { name: basename(resolve(given)), data: imagesIn(given, configuration), seed };
  }
  const result = dataSchema.safeParse({ kind: given });
  if (result.success) return { name: given, data: result.data, seed };
  throw new UsageError('INVALID_ARGUMENT', `${option} ${given} is neither a preset, a file, a folder nor data.`, {
    subject: option,
    value: given,
    remedy:
      'Use a preset, a configuration, a run, a folder of images, a kind of data such as fashion-mnist, or the keys of ' +
      'data as JSON: \'{ "kind": "synthetic", "noise": 2 }\'.',
  });
}

/** Images in the folder, prepared as the run's. */
function imagesIn(folder: string, configuration: Configuration): DataConfiguration {
  const geometry = geometryOf(configuration.data);
  const size = geometry.kind === 'images' ? { size: geometry.imageSize } : {};
  const { data } = configuration;
  const isFromFiles = data.kind === 'imageFolder' || data.kind === 'imageCsv';
  const prepared = isFromFiles ? { preprocessing: data.preprocessing } : {};
  return parseData({ kind: 'imageFolder', folder, ...size, ...prepared }, process.cwd());
}

function parseText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new UsageError('INVALID_ARGUMENT', `${option} ${text} is no valid JSON.`, {
      subject: option,
      value: text,
      remedy: 'Quote the whole value: --out-of-distribution \'{ "kind": "synthetic", "noise": 2 }\'.',
      cause,
    });
  }
}

function parseData(raw: unknown, folder: string): DataConfiguration {
  const { data } = locateModules({ data: raw }, folder, option) as { readonly data: unknown };
  const result = dataSchema.safeParse(data);
  if (result.success) return result.data;
  throw configurationError(dataSchema, data, result.error, option);
}

function describeInputs(geometry: Geometry): string {
  switch (geometry.kind) {
    case 'images':
      return `images of ${geometry.imageSize} × ${geometry.imageSize} × ${geometry.channels}`;
    case 'tokens':
      return `texts of ${geometry.length} tokens of a vocabulary of ${geometry.vocabularySize}`;
    case 'examples':
      return `examples of the shape ${showValue(geometry.inputShape)}`;
  }
}

/** The classes may differ, since labels are ignored, and so may the preprocessing. */
function checkSameInputs(given: string, other: Geometry, own: Geometry): void {
  if (describeInputs(other) === describeInputs(own)) return;
  throw new UsageError(
    'INVALID_ARGUMENT',
    `${option} ${given} has ${describeInputs(other)}, but the run has ${describeInputs(own)}.`,
    {
      subject: option,
      value: given,
      remedy: 'Use data of the same size and number of channels, or of the same length.',
    },
  );
}
