import { type EagerOperations, isLmdError, LmdError, type NamedTensors, type Tensor } from '@lmd/core';
import { type CheckedBatch, checkCounted, checkedBatch, checkTokens } from './data/check-batch.js';
import { type EvaluationResult, evaluate } from './evaluate.js';
import type { StepExchange } from './exchange.js';
import { showPasses } from './hooks.js';
import { findNonFinite, findNonFiniteBefore, findNonFiniteIn, type NonFinite, namesOf } from './non-finite.js';
import type { Run } from './run.js';
import { enqueueStep, reportOf } from './step.js';
import { enqueuePendingStep, type PendingStep } from './step-in-place.js';
import type { TrainOptions, TrainPlan } from './train-options.js';

/** One step: update, `step` hooks, evaluation if one is due, `settle` hooks. */
export async function takeStep(run: Run): Promise<void> {
  const { plan, data } = run;
  const began = performance.now();
  const { epoch, position, indices, batch: given } = await run.batches.take(run.step);
  const batch = checkedBatch(data.train, indices, given);
  if (plan.exchange === undefined) checkCounted(batch);
  checkTokens(batch, run.model.vocabularySize);
  let loss: number;
  try {
    loss = await updateFor(plan)(run, batch);
  } catch (error) {
    if (!isLmdError(error, 'INTERRUPTED') || plan.signal?.aborted !== true) throw error;
    // An exchange was waiting for other workers. The state is that before the step.
    run.ending = 'interrupted';
    await run.announce({ type: 'settle', step: run.step, ending: run.ending });
    return;
  }
  run.stepSeconds += (performance.now() - began) / 1000;
  const samples = indices.length * (plan.exchange?.workers ?? 1);
  run.samples += samples;

  // Until all hooks have run, plugins are in inconsistent states, which must not be saved.
  run.settled = false;
  await run.announce({
    type: 'step',
    step: run.step,
    epoch,
    position,
    loss,
    samples,
    seconds: run.seconds,
  });
  const isLast = run.step === run.totalSteps || run.stopReason !== undefined;
  if (isLast || isEvaluated(plan.evaluateEvery, run.step)) {
    const weights = run.evaluationWeights();
    try {
      await evaluateOn(run, 'validation', weights);
    } finally {
      run.ops.dispose(weights);
    }
  }
  run.settled = true;
  run.ending = run.reasonToEnd();
  await run.announce({
    type: 'settle',
    step: run.step,
    ...(run.ending === undefined ? {} : { ending: run.ending }),
  });
  await run.breathe();
  // Aborted while this step was being saved, so no further step is computed.
  if (plan.signal?.aborted === true && run.saved?.step === run.step) run.ending ??= 'interrupted';
}

function isEvaluated(every: TrainOptions['evaluateEvery'], step: number): boolean {
  if (typeof every === 'function') return every(step);
  return every !== undefined && step % every === 0;
}

/** Runs the update and returns the loss. The old state is freed once the whole step is known to be finite. */
async function update(run: Run, batch: CheckedBatch): Promise<number> {
  const { ops } = run;
  const { state, report } = enqueueStep(run.stepContext, run.state, batch, {
    onPasses: (passes) => showPasses(run, passes),
  });
  try {
    const loss = await checkedLoss(ops, report, async () => {
      refuse(run, await findNonFinite(run.stepContext, run.state, batch));
    });
    run.replaceState(state);
    run.step++;
    run.loss = loss;
    return loss;
  } catch (error) {
    ops.dispose(state.tensors);
    throw error;
  }
}

/** The same without two states in memory: the old one is freed once loss and gradients are known to be finite. */
async function updateInPlace(run: Run, batch: CheckedBatch): Promise<number> {
  const { ops } = run;
  const pending = enqueuePendingStep(run.stepContext, run.state, batch, {
    onPasses: (passes) => showPasses(run, passes),
  });
  let loss: number;
  try {
    loss = await checkedLoss(ops, pending.report, async () => {
      refuse(run, await findNonFiniteBefore(run.stepContext, run.state, batch, pending));
    });
  } catch (error) {
    pending.dispose();
    throw error;
  }
  // From here there is no state to save until the new one is known to be finite.
  run.settled = false;
  const report = run.passState(() => pending.update());
  await checkedLoss(ops, report, async () => {
    refuse(run, await findNonFiniteIn(ops, namesOf('updated state', run.state.tensors)));
  });
  run.step++;
  run.loss = loss;
  return loss;
}

/**
 * The same with other workers. A worker whose own gradients are not finite fails before the others have all that they
 * need for the step. The old state is freed once the new one is known to be finite.
 */
async function updateWithOthers(exchange: StepExchange, run: Run, batch: CheckedBatch): Promise<number> {
  const { ops, step } = run;
  const { rank, workers } = exchange;
  // A custom loss is a mean over examples.
  const counted = run.plan.loss === undefined ? batch.counted : batch.indices.length;
  const total = await exchange.total(step, counted);
  // The labels of one share may all be ignored, those of a batch may not.
  if (total === 0) checkCounted(batch);
  const share = { rank, workers, counted: total };
  const context = { ...run.stepContext, share };
  const sending = exchange.begin?.(step, run);
  let pending: PendingStep | undefined;
  try {
    const local = enqueuePendingStep(context, run.state, batch, {
      onPasses: (passes) => showPasses(run, passes),
      onGradient: sending && ((...gradient) => sending.gradient(...gradient)),
    });
    pending = local;
    await checkedLoss(ops, local.report, async () => {
      refuse(run, await findNonFiniteBefore(context, run.state, batch, local));
    });
    const { losses, passes } = local;
    const { loss, state } = await exchange.update({ step, state: run.state, counted, losses, passes }, run);
    try {
      await checkedLoss(ops, reportOf(ops, local.loss, [state.tensors]), async () => {
        refuse(run, await findNonFiniteIn(ops, namesOf('updated state', state.tensors)));
      });
    } catch (error) {
      // The state before the step is still good.
      ops.dispose(state.tensors);
      throw error;
    }
    run.replaceState(state);
    run.step++;
    run.loss = loss;
    return loss;
  } catch (error) {
    sending?.abandon();
    throw error;
  } finally {
    pending?.dispose();
  }
}

function updateFor({ exchange, updateInPlace: inPlace }: TrainPlan): typeof update {
  if (exchange !== undefined) return (run, batch) => updateWithOthers(exchange, run, batch);
  return inPlace ? updateInPlace : update;
}

/** Reads and frees a report and returns the loss. `suspected` throws if a non-finite value is confirmed. */
async function checkedLoss(ops: EagerOperations, report: Tensor, suspected: () => Promise<void>): Promise<number> {
  try {
    const [loss, finite] = (await ops.read(report)) as unknown as [number, number];
    if (!Number.isFinite(loss) || !Number.isFinite(finite)) await suspected();
    return loss;
  } finally {
    ops.dispose(report);
  }
}

function refuse(run: Run, found: NonFinite | undefined): void {
  if (found === undefined) return;
  if (found.inState) run.settled = false;
  throw new LmdError(
    'NON_FINITE',
    `In step ${run.step + 1}, ${found.tensor} is ${found.value} at element ${found.index}, the first tensor ` +
      'that is not finite.',
    { subject: found.tensor, value: found.value },
  );
}

/**
 * Evaluates `weights` on a part of the data, if the run has it, and notifies the plugins. Throws `INTERRUPTED` if
 * `signal` aborts it.
 */
export async function evaluateOn(
  run: Run,
  part: 'validation' | 'test',
  weights: NamedTensors,
  signal?: AbortSignal,
): Promise<EvaluationResult | undefined> {
  const dataset = run.data[part];
  if (dataset === undefined) return undefined;
  const { ops, model, precision, plan, seed, step } = run;
  const key = { seed, step, sample: run.optimizer.samples };
  const evaluation = await evaluate({
    ops,
    model,
    weights,
    dataset,
    precision,
    batchSize: plan.evaluationBatchSize,
    key,
    signal,
  });
  if (part === 'validation') run.validation = { ...evaluation, step };
  await run.announce({ type: 'evaluation', step, split: part, seconds: run.seconds, ...evaluation });
  return evaluation;
}
