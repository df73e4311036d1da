import { fillRandomNormal, streamOf } from '@lmd/core';
import { arrayDataset, type Dataset } from '@lmd/training';
import type { SyntheticConfiguration } from '../configuration/data-schema.js';
import type { RunData } from './run-data.js';
import type { DataSource } from './source.js';

function normals(count: number, seed: number, stream: string): Float32Array {
  const values = new Float32Array(count);
  fillRandomNormal(values, { seed, stream: streamOf(stream), step: 0, sample: 0 });
  return values;
}

/**
 * One random pattern per class, the same in all three parts, plus independent noise on every image. Determined by the
 * seed.
 */
export function syntheticData(configuration: SyntheticConfiguration, seed: number): RunData {
  const { classes, size, channels, noise } = configuration;
  const pixels = size * size * channels;
  const patterns = normals(classes * pixels, seed, 'synthetic/patterns');

  function part(name: 'train' | 'validation' | 'test'): Dataset {
    const examples = configuration[name];
    const inputs = normals(examples * pixels, seed, `synthetic/${name}`);
    const labels = Int32Array.from({ length: examples }, (_, index) => index % classes);
    for (let index = 0; index < inputs.length; index++) {
      const label = labels[Math.floor(index / pixels)]!;
      inputs[index] = patterns[label * pixels + (index % pixels)]! + noise * inputs[index]!;
    }
    return arrayDataset({ name: `synthetic/${name}`, inputs, inputShape: [size, size, channels], labels, classes });
  }

  return { train: part('train'), validation: part('validation'), test: part('test') };
}

export const synthetic: DataSource<'synthetic'> = {
  locate: (configuration) => configuration,
  geometry: ({ size, channels, classes }) => ({
    kind: 'images',
    imageSize: size,
    channels,
    classes,
    classNames: Array.from({ length: classes }, (_, label) => `class ${label}`),
  }),
  load: async (configuration, seed) => syntheticData(configuration, seed),
  describe: () => 'synthetic images',
};
