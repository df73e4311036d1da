import {
  LmdError,
  type OptimizerState,
  type OptionsOf,
  type OptionTable,
  option,
  resolveOptions,
  type SignUpdate,
} from '@lmd/core';
import type { LocalStep, StepExchange, TrainingRun } from '@lmd/training';
import { type Closing, channelOf } from './channel.js';
import { compareWeights } from './compare-weights.js';
import { replaced } from './host-gradients.js';
import { decide, encode, readBallot, tensorsOf } from './local-ballot.js';
import { exchangeMarker } from './marker.js';
import { Scratch } from './scratch.js';
import { checkWorker, comparisons, workerOptionTable } from './worker-options.js';

/** The options of `voteSigns`, declared once. */
export const voteSignsOptionTable = {
  ...workerOptionTable,
  /**
   * How a coordinate votes whose direction is 0, such as that of an unused embedding. `alternate`: one bit a vote; up
   * where coordinate + step + rank is even, otherwise down, so that neighbouring ranks cancel. `abstain`: two bits; it
   * has no vote. Our choice. `alternate` or `abstain`; default `alternate`.
   */
  zeros: option.choice(['alternate', 'abstain'], {
    default: 'alternate',
    describe:
      'How a coordinate votes whose direction is 0, such as that of an unused embedding. `alternate`: one bit a ' +
      'vote; up where coordinate + step + rank is even, otherwise down, so that neighbouring ranks cancel. ' +
      '`abstain`: two bits; it has no vote. Our choice.',
  }),
  /**
   * Smallest number of workers with which a step may go on after the deadline. Default: all workers. A whole number, at
   * least 1.
   */
  quorum: option.integer({
    atLeast: 1,
    describe: 'Smallest number of workers with which a step may go on after the deadline. Default: all workers.',
  }),
  /**
   * Time in milliseconds that a worker waits for others before a quorum is enough. Default: no deadline. At least 0.
   */
  deadlineMs: option.number({
    atLeast: 0,
    describe: 'Time in milliseconds that a worker waits for others before a quorum is enough. Default: no deadline.',
  }),
} as const satisfies OptionTable;

export interface VoteSignsOptions extends OptionsOf<typeof voteSignsOptionTable> {}

/**
 * Data parallelism by votes on signs, for optimizers whose step is a sign (`lmd`, `lion`, `signum`): signSGD with
 * majority vote (Bernstein et al., arXiv:1810.05291) with a momentum on each worker, as Distributed Lion (Liu et al.,
 * arXiv:2404.00438).
 *
 * Each worker computes its temporary momentum t from its own share of the batch and its own momentum, and sends
 * sign(t), one bit a coordinate. The majority is the direction of the step for all; where as many vote up as down, the
 * weight moves by decay or regularization alone. For `lmd` the vote replaces sign(t±) of
 *
 *     log m± ← log m± − a·(sign(t±) + λ·R(m±))
 *
 * and nothing else, so λ, R, a and the posterior samples are the same on all workers. With `gradientScaling: 'sample'`
 * the two halves vote apart, two bits a weight; with `none` one bit is the direction of both. Our choice.
 *
 * Weights of parameter groups whose step is no sign (`adamw` for biases) follow the mean of the gradients of the
 * workers that voted, weighted by their number of labels, sent in f32.
 *
 * With `quorum` and `deadlineMs`, a step goes on without workers that are late; which votes count is the same for all
 * workers. A worker that was late takes the step of the others, and its momentum follows its own gradient. Steps
 * without all votes are announced as reports of plugin `voteSigns`, `{ voters }`.
 *
 * Momenta differ between workers, so each worker resumes from its own checkpoint.
 *
 * @throws LmdError `INVALID_ARGUMENT`, `UNKNOWN_OPTION`
 */
export function voteSigns(options: VoteSignsOptions): StepExchange {
  const resolved = resolveOptions('voteSigns', voteSignsOptionTable, options);
  checkWorker('voteSigns', resolved);
  const { rank, workers, zeros, quorum, deadlineMs, timeoutMs } = resolved;
  checkClosing({ workers, quorum, deadlineMs, timeoutMs });
  const closing: Closing = {
    ...(quorum === undefined ? {} : { quorum }),
    ...(deadlineMs === undefined ? {} : { deadlineMs }),
  };
  const [votes, hashes] = [channelOf(resolved, 'votes'), channelOf(resolved, 'hashes')];
  const isCompared = comparisons(resolved);
  const scratch = new Scratch();

  async function update(local: LocalStep, run: TrainingRun) {
    const { ops } = run;
    const { step } = local;
    const signs = signsOf(run);
    const own = await readBallot(local, run, signs, { step, rank, zeros, scratch });
    const { payloads, complete } = await votes.gather(step, encode(own), { ...closing, isLent: true });
    const { loss, means, votes: count } = decide(own, payloads);
    const state = ops.scope(() => {
      const averaged = replaced(ops, own.averaged, means);
      const passes = local.passes.map(({ key, gradients }, index) => ({
        key,
        gradients: { ...gradients, ...averaged[index]!.gradients },
      }));
      const next = signs.update(ops, local.state, passes, tensorsOf(own, count, scratch, run));
      for (const tensor of Object.values(next.tensors)) ops.keep(tensor);
      return next;
    });
    try {
      if (isCompared(step)) await compare(run, state);
      if (!complete) {
        const data = { voters: [...payloads.keys()] };
        await run.announce({ type: 'report', step: step + 1, plugin: 'voteSigns', data });
      }
    } catch (error) {
      ops.dispose(state.tensors);
      throw error;
    }
    return { loss, state };
  }

  /** Momenta differ, so only the weights are compared. */
  async function compare({ ops, optimizer }: TrainingRun, state: OptimizerState): Promise<void> {
    const weights = optimizer.weights(ops, state, 'median');
    try {
      await compareWeights(hashes, state.step, ops, weights, closing);
    } finally {
      ops.dispose(weights);
    }
  }

  return {
    ...exchangeMarker,
    name: 'voteSigns',
    rank,
    workers,
    identity: { voteSigns: zeros, workers, rank },
    // Workers are weighted when their contributions are added, since it is not known before which of them will vote.
    total: async (_, counted) => Math.max(1, counted),
    update,
  };
}

function signsOf({ optimizer }: TrainingRun): SignUpdate {
  if (optimizer.signs !== undefined) return optimizer.signs;
  throw new LmdError('UNSUPPORTED', `voteSigns: the step of optimizer "${optimizer.name}" is not a sign.`, {
    subject: 'optimizer',
    value: optimizer.name,
    remedy:
      'Use lmd, lion or signum, also within parameterGroups, or averageGradients. clipByGlobalNorm goes inside a group.',
  });
}

function checkClosing({
  workers,
  quorum,
  deadlineMs,
  timeoutMs,
}: {
  readonly workers: number;
  readonly quorum: number | undefined;
  readonly deadlineMs: number | undefined;
  readonly timeoutMs: number;
}): void {
  const refuse = (subject: string, value: unknown, problem: string, remedy: string) =>
    new LmdError('INVALID_ARGUMENT', `voteSigns: ${problem}`, { subject, value, remedy });
  if ((quorum === undefined) !== (deadlineMs === undefined)) {
    const [given, missing] = quorum === undefined ? ['deadlineMs', 'quorum'] : ['quorum', 'deadlineMs'];
    throw refuse(missing, undefined, `${given} is given without ${missing}.`, 'Give both, or neither.');
  }
  if (quorum !== undefined && quorum > workers) {
    throw refuse('quorum', quorum, `quorum is ${quorum} of ${workers} workers.`, `Use at most ${workers}.`);
  }
  if (deadlineMs !== undefined && deadlineMs >= timeoutMs) {
    throw refuse('deadlineMs', deadlineMs, `deadlineMs is ${deadlineMs}.`, `Use less than timeoutMs, ${timeoutMs}.`);
  }
}
