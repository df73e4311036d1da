import {
  adamw,
  clipByGlobalNorm,
  exponentiatedGradient,
  frozen,
  injectHyperparameters,
  ivon,
  lieGroupAdditive,
  lieGroupAffine,
  lieGroupMultiplicative,
  lion,
  lmd,
  madam,
  type Optimizer,
  parameterGroups,
  schedules,
  sgd,
} from '@lmd/core';
import { describe, expect, it } from 'vitest';
import { base, keepSnapshots, outcome } from '../../test/small-run.js';
import { type Plugin, weightAveraging } from '../index.js';

const rules: Record<string, () => Optimizer> = {
  lmd: () => lmd({ learningRate: 0.02, samples: 2 }),
  'lmd in codes': () => lmd({ learningRate: 0.02, stateFormat: 'block8', gradientScaling: 'none' }),
  lieGroupAdditive: () => lieGroupAdditive(),
  lieGroupMultiplicative: () => lieGroupMultiplicative(),
  lieGroupAffine: () => lieGroupAffine(),
  ivon: () => ivon({ effectiveSampleSize: 40 }),
  exponentiatedGradient: () => exponentiatedGradient(),
  madam: () => madam(),
  adamw: () => adamw(),
  lion: () => lion(),
  sgd: () => sgd(),
  'groups, one of them frozen, with clipping and a schedule of the noise': () =>
    parameterGroups([
      {
        match: 'hidden.weight',
        optimizer: injectHyperparameters(({ noise }) => lmd({ noise }), {
          noise: schedules.linear({ from: 0.1, to: 0, steps: 6 }),
        }),
      },
      { match: /bias/, optimizer: frozen() },
      { match: '*', optimizer: clipByGlobalNorm(adamw(), 0.1) },
    ]),
};

describe('weightAveraging with every rule, in micro-batches', () => {
  it.each(Object.entries(rules))('%s: averages, and resumes to the bit', async (_, rule) => {
    const options = () => ({ ...base(), optimizer: rule(), microBatchSize: 3 });
    const plain = await outcome(options());
    const whole = await outcome({ ...options(), plugins: [weightAveraging({ decay: 0.9 })] });
    const saved = keepSnapshots();
    const controller = new AbortController();
    const stop: Plugin = { name: 'stop', step: ({ step }) => (step === 3 ? controller.abort() : undefined) };
    await outcome({ ...options(), plugins: [weightAveraging({ decay: 0.9 }), saved, stop], signal: controller.signal });
    const resumed = await outcome({
      ...options(),
      plugins: [weightAveraging({ decay: 0.9 })],
      resume: { checkpoint: saved.last },
    });
    expect(resumed.tensors).toEqual(whole.tensors);
    // The state is that of a run without an average, and the weights are not.
    for (const [name, { data }] of Object.entries(plain.tensors)) {
      if (name.includes('/')) expect(whole.tensors[name]!.data).toEqual(data);
    }
    expect(whole.tensors['hidden.weight']!.data).not.toEqual(plain.tensors['hidden.weight']!.data);
  });
});
