import {
  LmdError,
  type NamedTensors,
  type OptimizerState,
  type OptionsOf,
  type OptionTable,
  option,
  resolveOptions,
  type StatePositions,
  type Tensor,
} from '@lmd/core';
import type { LocalStep, StepExchange, TrainingRun } from '@lmd/training';
import { addAll, keyOf } from './add-gradients.js';
import { channelOf } from './channel.js';
import { compareWeights } from './compare-weights.js';
import { BucketMemory, GradientSender } from './gradient-sender.js';
import { readAll } from './host-gradients.js';
import { exchangeMarker } from './marker.js';
import { meanLoss } from './mean-loss.js';
import { Scratch } from './scratch.js';
import { bucketOptionTable, checkWorker, workerOptionTable } from './worker-options.js';

/** The options of `averageWeights`, declared once. */
export const averageWeightsOptionTable = {
  ...workerOptionTable,
  /**
   * Number of steps that a worker takes on its own between two averages. The steps of the run are a multiple of it. A
   * whole number, at least 1; default 16.
   */
  localSteps: option.integer({
    atLeast: 1,
    default: 16,
    describe:
      'Number of steps that a worker takes on its own between two averages. The steps of the run are a multiple of it.',
  }),
  ...bucketOptionTable,
} as const satisfies OptionTable;

export interface AverageWeightsOptions extends OptionsOf<typeof averageWeightsOptionTable> {}

/**
 * Data parallelism with local steps: each worker takes `localSteps` steps of its own optimizer with its own share of
 * each batch, then all average their weights in f32, in the order of the ranks. Optimizers whose steps are
 * multiplicative average logarithms of medians: a geometric mean. It is local SGD (Stich, arXiv:1805.09767) with any
 * optimizer, and DiLoCo (Douillard et al., arXiv:2311.08105, algorithm 1) whose outer optimizer is a step of length 1
 * without momentum. As there, momenta stay on their workers.
 *
 * A worker sends four bytes per weight (LMD: eight) once in `localSteps` steps. The loss of a step is that of the
 * worker's own share. Between two averages the weights of workers differ, and so do evaluations.
 *
 * Each worker resumes from its own checkpoint. One worker has the bits of a run without an exchange.
 *
 * @throws LmdError `INVALID_ARGUMENT`, `UNKNOWN_OPTION`
 */
export function averageWeights(options: AverageWeightsOptions): StepExchange {
  const resolved = resolveOptions('averageWeights', averageWeightsOptionTable, options);
  checkWorker('averageWeights', resolved);
  const { rank, workers, localSteps, bucketBytes, compareEvery } = resolved;
  const hashes = channelOf(resolved, 'hashes');
  const memory = new BucketMemory();
  const scratch = new Scratch();
  let first = resolved.start;

  /** Whether weights are compared after an average: by the step alone, for a worker that replaces another. */
  function isCompared(step: number): boolean {
    const isFirst = step - localSteps < first! && first! <= step;
    return isFirst || Math.floor((step + 1) / compareEvery) > Math.floor((step + 1 - localSteps) / compareEvery);
  }

  async function averaged(state: OptimizerState, step: number, run: TrainingRun): Promise<OptimizerState> {
    const { ops } = run;
    const positions = positionsOf(run);
    const own = positions.read(ops, state);
    const sums = new Map<string, Tensor>();
    const channel = (bucket: number) => channelOf(resolved, `weights-${bucket}`);
    const sender = new GradientSender(step, ops, { format: 'f32', bucketBytes, channel, memory, scratch });
    try {
      for (const [name, position] of Object.entries(own)) sender.gradient(0, name, position);
      await addAll(ops, sender.end([]), { rank, format: 'f32', losses: 0, scratch }, sums);
      return ops.scope(() => {
        const means: Record<string, Tensor> = {};
        for (const name of Object.keys(own)) means[name] = ops.multiply(sums.get(keyOf(0, name))!, 1 / workers);
        const next = positions.write(ops, state, means satisfies NamedTensors);
        for (const tensor of Object.values(next.tensors)) ops.keep(tensor);
        return next;
      });
    } catch (error) {
      sender.abandon();
      throw error;
    } finally {
      ops.dispose([...Object.values(own), ...sums.values()]);
    }
  }

  async function update({ step, state, losses, passes }: LocalStep, run: TrainingRun) {
    const { ops, optimizer } = run;
    first ??= step;
    checkSteps(run, localSteps);
    positionsOf(run);
    const loss = meanLoss((await readAll(ops, losses)).map((values) => values[0]!));
    let next = ops.scope(() => {
      const updated = optimizer.update(ops, state, passes);
      for (const tensor of Object.values(updated.tensors)) ops.keep(tensor);
      return updated;
    });
    if (workers === 1 || (step + 1) % localSteps !== 0) return { loss, state: next };
    try {
      const mean = await averaged(next, step, run);
      ops.dispose(next.tensors);
      next = mean;
      if (isCompared(step)) {
        const weights = optimizer.weights(ops, next, 'median');
        await compareWeights(hashes, step + 1, ops, weights).finally(() => ops.dispose(weights));
      }
    } catch (error) {
      ops.dispose(next.tensors);
      throw error;
    }
    return { loss, state: next };
  }

  return {
    ...exchangeMarker,
    name: 'averageWeights',
    rank,
    workers,
    ...(workers === 1 ? {} : { identity: { averageWeights: localSteps, workers, rank } }),
    // A worker whose labels are all ignored takes a step without gradients.
    total: async (_, counted) => (workers === 1 ? counted : Math.max(1, counted)),
    update,
  };
}

function positionsOf({ optimizer }: Pick<TrainingRun, 'optimizer'>): StatePositions {
  if (optimizer.positions !== undefined) return optimizer.positions;
  throw new LmdError('UNSUPPORTED', `averageWeights: weights of optimizer "${optimizer.name}" cannot be averaged.`, {
    subject: 'optimizer',
    value: optimizer.name,
    remedy:
      'Use an optimizer with `positions`, as all of @lmd/core have but adamw with weightFormat bf16, whose mean of ' +
      'weights would need a rounding that loses small steps (use f32 or split24); or averageGradients.',
  });
}

function checkSteps({ totalSteps }: TrainingRun, localSteps: number): void {
  if (totalSteps % localSteps === 0) return;
  throw new LmdError('INVALID_ARGUMENT', `steps is ${totalSteps}, but localSteps is ${localSteps}.`, {
    subject: 'steps',
    value: totalSteps,
    remedy: `Use a multiple of ${localSteps}, so that the last step averages the weights.`,
  });
}
