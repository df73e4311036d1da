import type { StudyInput } from '../src/study/schema.js';
import type { TrialConfig } from '../src/trial/config.js';

/** A study of seconds: two rules, two formats, made images. */
export const smokeStudy = {
  name: 'smoke',
  title: 'Smoke',
  question: 'Does it run, and go on where it was killed?',
  backend: 'reference',
  data: { kind: 'synthetic', train: 32, validation: 16, test: 16 },
  model: { patchSize: 4, width: 32, depth: 1, heads: 1 },
  batchSize: 8,
  evaluationBatchSize: 16,
  rest: { learningRate: 0.005 },
  rules: [
    { name: 'adamw', rule: 'adamw', search: { learningRate: { minimum: 0.001, maximum: 0.01 } } },
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
  final: { steps: 4, seeds: [0, 1], evaluations: 2, measures: 2, measuredExamples: 4 },
  sweep: { steps: 2, factors: [0.5, 1e9] },
  ablation: {
    rule: 'lmd',
    steps: 2,
    formats: ['fp32', 'mxfp4_e2m1'],
    variants: [{ name: 'no noise', options: { noise: 0 } }],
  },
  governs: {
    rules: ['adamw', 'lmd'],
    steps: 2,
    formats: ['fp32', 'mxfp4_e2m1'],
    variants: [{ name: 'half the rate', learningRateFactor: 0.5, rules: ['adamw'] }],
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

/** One trial of it, with all that a final run does. */
export const smokeConfig: TrialConfig = {
  backend: 'reference',
  data: { kind: 'synthetic', train: 32, validation: 16, test: 16, classes: 4, size: 8, noise: 0.5 },
  model: { patchSize: 4, width: 32, depth: 1, heads: 1, pooling: 'mean' },
  rule: 'lmd',
  options: { learningRate: 0.02, noise: 0.1 },
  rest: { learningRate: 0.005 },
  format: 'fp32',
  steps: 6,
  warmup: 1,
  batchSize: 8,
  seed: 7,
  split: 'test',
  evaluationBatchSize: 16,
  evaluateEvery: 3,
  measureAt: [3, 6],
  measuredExamples: 4,
  deploy: ['mxfp4_e2m1'],
};
