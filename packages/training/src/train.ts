import { isLmdError, LmdError, type NamedTensors, type OptimizerState, sizeOf, stateBytes } from '@lmd/core';
import { version } from '../package.json';
import type { EvaluationResult } from './evaluate.js';
import type { EndEvent } from './events.js';
import { closePlugins, fail } from './failure.js';
import { evaluateOn, takeStep } from './iteration.js';
import { Run } from './run.js';
import { planTraining, type TrainOptions } from './train-options.js';

export interface TrainResult extends Omit<EndEvent, 'type'> {
  /** The weights to evaluate or export. */
  readonly weights: NamedTensors;
  readonly state: OptimizerState;
  /** Frees weights and state. */
  dispose(): void;
}

/**
 * Trains a model: for each step, a batch from (seed, epoch, position) → draw (posterior sample) → forward → loss →
 * backward → update, then the plugins. A run is determined by its options, the code and the backend: if it is
 * interrupted at any step and resumed from a checkpoint, its results are bit-identical.
 *
 * @throws LmdError `NON_FINITE` if a loss, gradient or state is not finite, naming the first such tensor and the
 * checkpoint of the last good state; `PLUGIN_FAILURE`; `CHECKPOINT_MISMATCH` on resume; `UNKNOWN_OPTION` and
 * `INVALID_ARGUMENT` before the run starts; and errors of data set, model and optimizer. All tensors are freed before
 * it throws.
 */
export async function train(options: TrainOptions): Promise<TrainResult> {
  const run = new Run(planTraining(options));
  run.ops.resetPeakMemory();
  let weights: NamedTensors | undefined;
  try {
    await begin(run);
    while (run.ending === undefined) await takeStep(run);
    await run.batches.close();
    weights = run.evaluationWeights();
    const end = await conclude(run, weights);
    await closePlugins(run);
    return result(run, end, weights);
  } catch (error) {
    const first = await fail(run, error);
    await run.batches.close();
    if (weights !== undefined) run.ops.dispose(weights);
    run.dispose();
    throw first;
  }
}

async function begin(run: Run): Promise<void> {
  const { plan, ops, model, optimizer } = run;
  // Only this function has a reference: the checkpoint is as large as the state, and not needed once the run has
  // started.
  const resume = typeof plan.resume === 'function' ? await plan.resume() : plan.resume;
  await run.initialize(resume);
  await run.announce({
    type: 'start',
    model: model.name,
    optimizer: optimizer.name,
    backend: ops.backend.name,
    device: ops.backend.device,
    dataset: plan.data.train.name,
    totalSteps: plan.totalSteps,
    parameters: Object.values(model.parameters).reduce((sum, { shape }) => sum + sizeOf(shape), 0),
    stateBytes: stateBytes(run.state),
    batchSize: plan.batchSize,
    batchesPerEpoch: plan.order.batchesPerEpoch,
    startStep: run.startStep,
    ...(resume?.path === undefined ? {} : { resumedFrom: resume.path }),
  });
  await run.restorePlugins(resume?.checkpoint.plugins);
  for (const { path, reason } of resume?.skipped ?? []) {
    await run.warn(`The checkpoint ${path} was skipped: ${reason}`);
  }
  const written = resume?.checkpoint.versions;
  for (const [what, then, now] of [
    ['on backend', written?.backend, ops.backend.name],
    ['by @lmd/training', written?.training, version],
  ] as const) {
    if (then === undefined || then === now) continue;
    await run.warn(
      `The checkpoint was written ${what} ${then}, but the run resumes with ${now}: ` +
        'its results may not be bit-identical to those of an uninterrupted run.',
    );
  }
  run.settled = true;
  run.ending = run.reasonToEnd();
}

async function conclude(run: Run, weights: NamedTensors): Promise<EndEvent> {
  const tested = run.ending === 'interrupted' ? undefined : await testUnlessInterrupted(run, weights);
  const status = run.ending!;
  const end: EndEvent = {
    type: 'end',
    step: run.step,
    status,
    ...(status === 'stopped' ? { stopReason: run.stopReason! } : {}),
    ...(run.loss === undefined ? {} : { loss: run.loss }),
    ...(run.validation === undefined ? {} : { validation: run.validation }),
    ...(tested === undefined ? {} : { test: tested }),
    seconds: run.seconds,
    samplesPerSecond: run.stepSeconds > 0 ? run.samples / run.stepSeconds : 0,
    peakMemoryBytes: run.ops.memory().peakBytes,
  };
  await run.announce(end);
  return end;
}

/**
 * A test may take longer than many steps. If it is interrupted, it is repeated when the run is resumed, since the last
 * step is saved.
 */
async function testUnlessInterrupted(run: Run, weights: NamedTensors): Promise<EvaluationResult | undefined> {
  try {
    return await evaluateOn(run, 'test', weights, run.plan.signal);
  } catch (error) {
    if (!isLmdError(error, 'INTERRUPTED')) throw error;
    run.ending = 'interrupted';
    return undefined;
  }
}

function result(run: Run, { type: _, ...end }: EndEvent, weights: NamedTensors): TrainResult {
  let alive = true;
  return {
    ...end,
    weights,
    state: run.state,
    dispose() {
      if (!alive) {
        throw new LmdError('TENSOR_DISPOSED', 'The result of train was disposed of twice.', { subject: 'dispose' });
      }
      alive = false;
      run.ops.dispose(weights);
      run.dispose();
    },
  };
}
