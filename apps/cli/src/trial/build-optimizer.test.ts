import { createCpuBackend } from '@lmd/backends/cpu';
import { createOperations } from '@lmd/core';
import { precisionPreset } from '@lmd/models';
import { train } from '@lmd/training';
import { expect, it } from 'vitest';
import { parseConfiguration } from '../configuration/load.js';
import { optimizerSchema } from '../configuration/optimizer-schema.js';
import { loadData } from '../data/index.js';
import { presets } from '../presets/index.js';
import { buildModel } from './build-model.js';
import { buildOptimizer } from './build-optimizer.js';

/** The rule of a module is tested with its modules, in test/modules.test.ts. */
const ruleNames = optimizerSchema.options.map((option) => option.shape.rule.value).filter((rule) => rule !== 'module');
/** Where a rule's defaults do not fit 24 steps on a tiny network, or an option has none. */
const options: Readonly<Record<string, object>> = {
  lmd: { regularizationSchedule: 'linear', noiseSchedule: 'cosine', noiseFinal: 0.1 },
  lion: { learningRate: 3e-3 },
  signum: { learningRate: 3e-3 },
  sgd: { learningRate: 0.03, nesterov: true },
  exponentiatedGradient: { learningRate: 1 },
  lieGroupAffine: { scaleLearningRate: 1 },
  ivon: { effectiveSampleSize: 1e6, learningRate: 0.5, initialHessian: 0.1 },
};

it.each(ruleNames)('builds %s from its configuration, and it learns', async (rule) => {
  const steps = 24;
  const { data, model, seed, precision, optimizers, batchSize } = parseConfiguration(
    { ...presets.smoke, optimizers: [{ name: rule, rule, schedule: { warmup: 4 }, clipNorm: 10, ...options[rule] }] },
    rule,
  );
  const ops = createOperations(await createCpuBackend());
  const losses: number[] = [];
  const network = buildModel(model, data);
  const trained = await train({
    ops,
    model: network,
    optimizer: buildOptimizer(optimizers[0]!, steps, network),
    precision: precisionPreset(precision),
    data: await loadData(data, seed),
    seed,
    steps,
    batchSize,
    plugins: [{ name: 'losses', step: ({ loss }) => void losses.push(loss) }],
  });
  trained.dispose();
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  expect(losses).toHaveLength(steps);
  expect(mean(losses.slice(-6))).toBeLessThan(0.85 * mean(losses.slice(0, 3)));
});
