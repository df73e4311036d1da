import { LmdError, type Model, optimizerFromDescription } from '@lmd/core';
import type { ExampleContext } from '@lmd/example-shared';
import { groupsBesideAdamw, precisionPreset } from '@lmd/models';
import { train, weightAveraging } from '@lmd/training';
import { checkpointing, latestCheckpoint } from '@lmd/training/node';
import { type ScoreNetworkOptions, scoreLoss } from '../score-network.js';
import type { DaleLangevinOptions } from './options.js';
import type { Task } from './task.js';

/** The part of the time that training takes with the default options. */
export const trainingShare = 0.95;

/** Trains the network, or resumes from the checkpoints of an earlier run. */
export async function trainScore(
  network: Model,
  task: Task,
  moments: Pick<ScoreNetworkOptions, 'logMean' | 'logDeviation'>,
  { optimizer: rule, learningRate = rule === 'lmd' ? 0.01 : 0.002, ...options }: DaleLangevinOptions,
  { ops, base, show, signal }: ExampleContext,
) {
  const { steps = task.steps } = options;
  const result = await train({
    ops,
    model: network,
    optimizer: optimizerOf(rule, learningRate, steps, network.parameters),
    precision: precisionPreset(options.precision),
    data: { train: task.train },
    loss: scoreLoss(network, { process: task.process, ...moments }),
    seed: options.seed,
    steps,
    batchSize: options.batchSize,
    plugins: [
      {
        name: 'progress',
        step: ({ step, loss }) =>
          show((trainingShare * step) / steps, 1, `step ${step} of ${steps}, loss ${loss.toFixed(4)}`),
      },
      weightAveraging({ decay: 0.995 }),
      checkpointing({ folder: base, every: 100, best: 'none' }),
    ],
    resume: () => latestCheckpoint(base),
    configuration: { rule, learningRate, steps, process: { ...task.process } },
    signal,
  });
  ops.dispose(result.state.tensors);
  if (result.status !== 'interrupted') return result;
  throw new LmdError('INTERRUPTED', `Stopped. The state is in ${base}.`, {
    subject: 'signal',
    remedy: 'Run the same command again to resume.',
  });
}

/** LMD for matrices and AdamW for the rest, or AdamW for all, with a warm-up and a cosine decay. */
function optimizerOf(
  rule: DaleLangevinOptions['optimizer'],
  learningRate: number,
  steps: number,
  parameters: Model['parameters'],
) {
  const lmd = { learningRate, regularization: 0.54, noise: 0.05, priorMedianFloor: 0.3 };
  const own = rule === 'lmd' ? { rule, options: lmd } : { rule, options: { learningRate, beta2: 0.99 } };
  return optimizerFromDescription({
    groups: groupsBesideAdamw(own, parameters, { learningRate: 0.002, beta2: 0.99 }),
    schedule: { kind: 'cosine', warmup: Math.min(50, steps - 1), decay: steps, final: 0.02 },
    clipNorm: 1,
  });
}
