import { UsageError } from '../errors.js';
import { graceSeconds } from './cluster-job.js';

/** Time limits of Slurm: minutes, minutes:seconds, hours:minutes:seconds, days-hours, and so on. */
const timeLimit = /^(\d+(:[0-5]?\d)?|\d+:[0-5]?\d:[0-5]?\d|\d+-\d+(:[0-5]?\d){0,2})$/;

/**
 * Less than this, and a task is told of its end before it has taken a step: the warning comes two minutes before the
 * end, Slurm sends it up to a minute early, and programs are installed before. Such a task requeues itself for ever.
 */
const leastSeconds = graceSeconds + 180;

/**
 * Checks a time limit of Slurm.
 *
 * @throws UsageError `INVALID_ARGUMENT`
 */
export function checkTimeLimit(time: string): void {
  if (!timeLimit.test(time) || /^[0:-]+$/.test(time)) {
    const remedy = 'Use minutes, hours:minutes:seconds or days-hours:minutes:seconds, such as 1-12:00:00.';
    throw refusal(time, `--time ${time} is not a time limit of Slurm.`, remedy);
  }
  if (secondsOf(time) < leastSeconds) {
    const problem = `--time ${time} is too short: ${graceSeconds} seconds before its end, a task saves and requeues itself.`;
    throw refusal(time, problem, `Use at least ${leastSeconds / 60} minutes.`);
  }
}

function secondsOf(time: string): number {
  const [days, clock] = time.includes('-') ? time.split('-') : [undefined, time];
  const numbers = clock!.split(':').map(Number);
  // After days come hours; one or two numbers without days are minutes and seconds.
  const isFromHours = days !== undefined || numbers.length === 3;
  const [hours = 0, minutes = 0, seconds = 0] = isFromHours ? numbers : [0, ...numbers];
  return ((Number(days ?? 0) * 24 + hours) * 60 + minutes) * 60 + seconds;
}

function refusal(time: string, problem: string, remedy: string): UsageError {
  return new UsageError('INVALID_ARGUMENT', problem, { subject: '--time', value: time, remedy });
}
