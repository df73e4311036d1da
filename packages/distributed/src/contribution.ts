import { describeValue, LmdError } from '@lmd/core';
import type { Contribution, RoundPlace } from './transport.js';

/** Throws `INVALID_ARGUMENT` for a place or a contribution that no round can have. Adapters call it first. */
export function checkContribution({ channel, round }: RoundPlace, contribution: Contribution): void {
  const { rank, workers, payload, quorum = workers, deadlineMs, timeoutMs } = contribution;
  const refuse = (subject: string, value: unknown, remedy: string) => {
    throw new LmdError('INVALID_ARGUMENT', `gather: ${subject} is ${describeValue(value)}.`, {
      subject,
      value,
      remedy,
    });
  };
  const isWhole = (value: number, from: number, to: number) =>
    Number.isSafeInteger(value) && value >= from && value <= to;
  if (typeof channel !== 'string' || !/^[\w-]+(\/[\w-]+)*$/.test(channel)) {
    refuse('channel', channel, 'It must consist of letters, digits, "-", "_" and "/".');
  }
  if (!isWhole(round, 0, Infinity)) refuse('round', round, 'It must be a whole number, at least 0.');
  if (!isWhole(workers, 1, Infinity)) refuse('workers', workers, 'It must be a whole number, at least 1.');
  if (!isWhole(rank, 0, workers - 1)) refuse('rank', rank, `It must be a whole number from 0 to ${workers - 1}.`);
  if (!isWhole(quorum, 1, workers)) refuse('quorum', quorum, `It must be a whole number from 1 to ${workers}.`);
  if (!(payload instanceof Uint8Array)) refuse('payload', payload, 'It must be a Uint8Array.');
  if (!(timeoutMs > 0)) refuse('timeoutMs', timeoutMs, 'It must be above 0.');
  if (deadlineMs !== undefined && !(deadlineMs >= 0 && deadlineMs < timeoutMs)) {
    refuse('deadlineMs', deadlineMs, 'It must be at least 0 and below timeoutMs.');
  }
}
