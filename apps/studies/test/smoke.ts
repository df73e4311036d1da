import type { Trial } from '../src/plan/trial.js';
import { trialsOf } from '../src/plan/trials.js';
import { parseStudy } from '../src/study/load.js';
import type { StudyInput } from '../src/study/schema.js';

/** A study that takes seconds: two optimizers, two formats, synthetic images. */
export const smokeStudy = {
  name: 'smoke',
  title: 'Smoke',
  question: 'Does it run, and resume after it was killed?',
  configuration: {
    backend: 'reference',
    data: { kind: 'synthetic', train: 32, validation: 16, test: 16 },
    model: { kind: 'vit', patchSize: 4, width: 32, depth: 1, heads: 1, pooling: 'mean' },
    batchSize: 8,
    evaluation: { batchSize: 16 },
  },
  rest: { learningRate: 0.005 },
  optimizers: [
    {
      name: 'adamw',
      rule: 'adamw',
      weightNoise: 0.2,
      search: { learningRate: { minimum: 0.001, maximum: 0.01 } },
    },
    {
      name: 'lmd',
      rule: 'lmd',
      options: { noise: 0.1 },
      search: {
        learningRate: { minimum: 0.005, maximum: 0.05 },
        regularizer: { choices: ['logNormalPrior', 'powerPrior'] },
      },
    },
  ],
  formats: ['fp32', 'mxfp4_e2m1'],
  search: { trials: 2, steps: 3 },
  final: {
    ...{ steps: 4, seeds: [0, 1], evaluations: 2, measures: 2 },
    faults: [{ kind: 'logNormal', amount: 0.5, draws: 2 }],
  },
  sweep: { steps: 2, factors: [0.5, 1e9] },
  ablation: {
    optimizer: 'lmd',
    steps: 2,
    formats: ['fp32', 'mxfp4_e2m1'],
    variants: [{ name: 'no noise', options: { noise: 0 } }],
  },
  governs: {
    optimizers: ['adamw', 'lmd'],
    steps: 2,
    formats: ['fp32', 'mxfp4_e2m1'],
    variants: [{ name: 'half the rate', learningRateFactor: 0.5, optimizers: ['adamw'] }],
  },
  order: [
    { part: 'search' },
    { part: 'final', seeds: [0] },
    { part: 'sweep' },
    { part: 'final', seeds: [1] },
    { part: 'ablation' },
    { part: 'governs' },
  ],
  budget: { coreHours: 1, secondsPerStep: 0.01 },
} satisfies StudyInput;

const point = { learningRate: 0.02, regularizer: 'logNormalPrior' };

/** One final trial of it, with all that a final run does. */
export const smokeTrial: Trial = trialsOf(parseStudy(smokeStudy, 'smoke'), 'final', () => point).find(
  ({ optimizer, format }) => optimizer === 'lmd' && format === 'fp32',
)!;
