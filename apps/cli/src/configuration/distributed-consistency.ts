import { LmdError, type Optimizer } from '@lmd/core';
import { UsageError } from '../errors.js';
import type { Configuration } from './schema.js';

/**
 * Finds errors of `distributed` that involve other keys, which otherwise each worker would find after its start.
 *
 * @throws UsageError `INVALID_ARGUMENT` with the key, the value and the remedy.
 */
export function checkDistributed(configuration: Configuration, origin: string): void {
  const { distributed, batchSize, updateInPlace } = configuration;
  if (distributed === undefined) return;
  const { workers } = distributed;
  if (batchSize % workers !== 0) {
    const problem = `batchSize is ${batchSize}, but distributed.workers is ${workers}.`;
    throw refusal(origin, 'batchSize', batchSize, problem, `Use a multiple of ${workers}.`);
  }
  if (updateInPlace) {
    const problem = 'updateInPlace is true, but workers exchange whole gradients or weights.';
    throw refusal(origin, 'updateInPlace', true, problem, 'Leave out updateInPlace, or distributed.');
  }
  checkLocalSteps(configuration, origin);
  checkQuorum(distributed, origin);
}

/**
 * Finds an optimizer that cannot take part in an exchange: its steps are not signs, or its weights have no mean.
 *
 * @throws LmdError `INVALID_ARGUMENT`
 */
export function checkExchange({ distributed }: Configuration, name: string, optimizer: Optimizer): void {
  const exchange = distributed?.exchange;
  const refused = (problem: string, remedy: string) =>
    new LmdError('INVALID_ARGUMENT', `distributed.exchange is ${exchange}, but ${problem}.`, {
      subject: 'distributed.exchange',
      value: exchange,
      remedy: `${remedy}, or distributed.exchange = averages.`,
    });
  if (exchange === 'votes' && optimizer.signs === undefined) {
    throw refused(`a step of optimizers.${name} is not a sign`, 'Use lmd, lion or signum without clipNorm');
  }
  if (exchange === 'weights' && optimizer.positions === undefined) {
    throw refused(
      `the weights of optimizers.${name} have no mean`,
      'Use an optimizer with positions, such as adamw with weightFormat = f32 or split24 (a mean of BF16 numbers, ' +
        'rounded, loses small steps)',
    );
  }
}

/** Workers that take steps on their own have the same weights only after each average. */
function checkLocalSteps({ distributed, steps, evaluation, earlyStopping }: Configuration, origin: string): void {
  if (distributed?.exchange !== 'weights') return;
  const { localSteps } = distributed;
  for (const { subject, value, reason } of [
    { subject: 'steps', value: steps, reason: 'the last step averages the weights' },
    ...(earlyStopping === undefined
      ? []
      : [{ subject: 'evaluation.every', value: evaluation.every, reason: 'all workers stop early at one step' }]),
  ]) {
    if (value % localSteps === 0) continue;
    const problem = `${subject} is ${value}, but distributed.localSteps is ${localSteps}.`;
    throw refusal(origin, subject, value, problem, `Use a multiple of ${localSteps}, so that ${reason}.`);
  }
}

/** A quorum is of all workers, and counts after a deadline, which is before the end of all patience. */
function checkQuorum(distributed: NonNullable<Configuration['distributed']>, origin: string): void {
  if (distributed.exchange !== 'votes') return;
  const { quorum, deadlineMs, workers, timeoutMs } = distributed;
  if ((quorum === undefined) !== (deadlineMs === undefined)) {
    const [given, missing] = quorum === undefined ? ['deadlineMs', 'quorum'] : ['quorum', 'deadlineMs'];
    const problem = `distributed.${given} is given without distributed.${missing}.`;
    throw refusal(origin, `distributed.${missing}`, undefined, problem, 'Give both, or neither.');
  }
  if (quorum !== undefined && quorum > workers) {
    const problem = `distributed.quorum is ${quorum}, but distributed.workers is ${workers}.`;
    throw refusal(origin, 'distributed.quorum', quorum, problem, `Use at most ${workers}.`);
  }
  if (deadlineMs !== undefined && deadlineMs >= timeoutMs) {
    const problem = `distributed.deadlineMs is ${deadlineMs}, but distributed.timeoutMs is ${timeoutMs}.`;
    throw refusal(origin, 'distributed.deadlineMs', deadlineMs, problem, `Use a number below ${timeoutMs}.`);
  }
}

function refusal(origin: string, subject: string, value: unknown, problem: string, remedy: string): UsageError {
  return new UsageError('INVALID_ARGUMENT', `${origin}: ${problem}`, { subject, value, remedy });
}
