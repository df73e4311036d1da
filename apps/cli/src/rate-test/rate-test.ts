import { isLmdError, LmdError } from '@lmd/core';
import { type Plugin, train } from '@lmd/training';
import { type Configuration, trainingPrecision } from '../configuration/schema.js';
import { checkTrainingBatch } from '../trial/batch-sizes.js';
import { breathe } from '../trial/breathe.js';
import { buildOptimizerWithRate } from '../trial/build-optimizer.js';
import type { OpenTrial } from '../trial/open-trial.js';
import { analyzeRates, type RatePoint, type RateTestResult } from './analyze-rates.js';

/** The steps of a test and their learning rates. */
export interface RateRange {
  /** Learning rate of the first step. */
  readonly from: number;
  /** Learning rate of the last step. */
  readonly to: number;
  readonly steps: number;
}

/** Weight of the past in the average that detects divergence; about the last ten steps. */
const memory = 0.9;

/** It diverges when the averaged loss exceeds its first value by this factor and these nats. */
const excess = { factor: 1.25, nats: 0.1 };

/** The learning rate of a step, counted from 0: a geometric sequence (Smith, arXiv:1506.01186, section 3.3). */
export function rateAt({ from, to, steps }: RateRange, step: number): number {
  return steps === 1 ? from : from * (to / from) ** (step / (steps - 1));
}

/**
 * Trains one optimizer of a configuration while its learning rate rises from `from` to `to`, and stops when the loss
 * diverges. Its schedule is replaced; the step size of `rest` is constant.
 *
 * @throws LmdError `INTERRUPTED` if the signal aborted it; what training throws, except `NON_FINITE`, which is a
 *   result.
 */
export async function rateTest(
  { ops, data, starting }: OpenTrial,
  configuration: Configuration,
  index: number,
  range: RateRange,
  signal: AbortSignal,
  onStep: (step: number, loss: number) => void,
): Promise<RateTestResult> {
  const optimizer = configuration.optimizers[index]!;
  const { seed, batchSize, microBatchSize = batchSize, updateInPlace } = configuration;
  const { model, architecture } = starting;
  checkTrainingBatch(configuration, architecture, ops.backend, data.train.size);
  const points: RatePoint[] = [];
  const recorder = divergence((step, loss) => {
    points.push({ rate: rateAt(range, step - 1), loss });
    onStep(step, loss);
  });
  let hasDiverged = false;
  try {
    const trained = await train({
      ops,
      model,
      optimizer: buildOptimizerWithRate(optimizer, (step) => rateAt(range, step), range.steps, model),
      precision: trainingPrecision(configuration, optimizer),
      data: { train: breathe(data.train) },
      seed,
      steps: range.steps,
      batchSize,
      microBatchSize,
      updateInPlace,
      plugins: [recorder],
      signal,
    });
    trained.dispose();
    if (trained.status === 'interrupted') throw interrupted(optimizer.name);
    hasDiverged = trained.status === 'stopped';
  } catch (error) {
    // Without a single finite step, the configuration is at fault, not the rate.
    if (!isLmdError(error, 'NON_FINITE') || points.length === 0) throw error;
    hasDiverged = true;
  }
  return analyzeRates(points, hasDiverged);
}

function divergence(onStep: (step: number, loss: number) => void): Plugin {
  let sum = 0;
  let weight = 0;
  let first: number | undefined;
  return {
    name: 'rateTest',
    step({ step, loss }, run) {
      onStep(step, loss);
      first ??= loss;
      sum = memory * sum + (1 - memory) * loss;
      weight = memory * weight + (1 - memory);
      if (sum / weight > excess.factor * first + excess.nats) run.stop('the loss diverges');
    },
  };
}

export function interrupted(name: string): LmdError {
  return new LmdError('INTERRUPTED', `Stopped the test of ${name}.`, {
    subject: name,
    remedy: 'Nothing was written. Run the command again.',
  });
}
