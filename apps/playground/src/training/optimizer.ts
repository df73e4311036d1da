import { type Model, type Optimizer, optimizerFromDescription } from '@lmd/core';
import { groupsBesideAdamw } from '@lmd/models';
import type { RunSettings } from '../settings/settings.js';
import type { Task } from './task.js';

/** An optimizer in the words of a configuration of `lmd`, so that the command reads what the page trains. */
export interface OptimizerEntry {
  readonly name: string;
  readonly rule: string;
  readonly precision: string;
  readonly options: Readonly<Record<string, number>>;
  readonly rest?: Readonly<Record<string, number>>;
  readonly clipNorm?: number;
}

/** Of the weights that LMD and Muon leave to AdamW. */
const rest = { learningRate: 0.02, beta2: 0.99, weightDecay: 0 };

/** λ of LMD by what is trained, as docs/choosing-settings.md recommends for runs of a few hundred steps. */
const regularization = { images: 0.6, characters: 0.2 };

/** @param name of the run: of its folder in a saved file. */
export function optimizerEntry(
  settings: RunSettings,
  { kind, train }: Pick<Task, 'kind' | 'train'>,
  name: string,
): OptimizerEntry {
  const { optimizer: rule, format: precision, rate: learningRate, noise } = settings;
  const isText = kind === 'text';
  const common = { name, rule, precision, ...(isText ? { clipNorm: 1 } : {}) };
  if (rule === 'lmd') {
    const lambda = regularization[isText ? 'characters' : 'images'];
    return { ...common, options: { learningRate, noise, regularization: lambda }, rest };
  }
  if (rule === 'muon') return { ...common, options: { learningRate }, rest };
  // The posterior of IVON is as narrow as there are examples.
  const examples = rule === 'ivon' ? { effectiveSampleSize: train.size } : {};
  return { ...common, options: { learningRate, ...examples } };
}

export function optimizerOf({ rule, options, rest, clipNorm }: OptimizerEntry, model: Model): Optimizer {
  return optimizerFromDescription({
    groups: groupsBesideAdamw({ rule: rule as 'lmd', options }, model.parameters, rest),
    clipNorm,
  });
}
