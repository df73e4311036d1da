import { type ChildProcess, fork } from 'node:child_process';
import { LmdError } from '@lmd/core';
import { deserializeError } from '../errors.js';
import type { FromChild, ToChild, TrialHost, TrialOutcome } from './request.js';

/** The hidden argument with which `lmd` runs as the child process of a run. */
export const childArgument = '__trial';

/**
 * Runs the trial in this process. The engine and the data are loaded only here, which keeps a parent process small.
 * Several workers train as its threads.
 */
export const inThisProcess: TrialHost = async (request, emit, signal) => {
  const { configuration, rank } = request;
  if (configuration.distributed !== undefined && configuration.distributed.workers > 1 && rank === undefined) {
    const { leadThreads } = await import('../cluster/lead-threads.js');
    return leadThreads(request, emit, signal);
  }
  const { runTrial } = await import('./run-trial.js');
  return runTrial(request, emit, signal);
};

/**
 * Runs each trial in a separate child process, so that its peak memory is measured separately. The child is the same
 * program with a hidden argument. Requests, events and results are sent over IPC. Output of an engine goes to standard
 * error.
 *
 * @param program the path of `bin.js`.
 */
export function inChildProcess(program: string): TrialHost {
  return (request, emit, signal) =>
    new Promise<TrialOutcome>((resolve, reject) => {
      const child = fork(program, [childArgument], { stdio: ['ignore', 2, 2, 'ipc'], serialization: 'advanced' });
      let settled = false;
      const stop = () => send(child, { type: 'stop' });
      const settle = (how: () => void) => {
        if (settled) return;
        settled = true;
        signal.removeEventListener('abort', stop);
        how();
      };
      child.on('message', (message: FromChild) => {
        if (message.type === 'ready') {
          send(child, { type: 'run', request });
          if (signal.aborted) stop();
          else signal.addEventListener('abort', stop, { once: true });
        } else if (message.type === 'event') emit(message.event);
        else if (message.type === 'outcome') settle(() => child.once('exit', () => resolve(message.outcome)));
        else settle(() => reject(deserializeError(message.error)));
      });
      child.on('error', (cause) =>
        settle(() =>
          reject(new LmdError('BACKEND_FAILURE', `The training process could not start: ${cause.message}.`, { cause })),
        ),
      );
      child.on('exit', (code, name) => settle(() => reject(unexpectedEnd(code, name))));
    });
}

function send(child: ChildProcess, message: ToChild): void {
  if (child.connected) child.send(message);
}

function unexpectedEnd(code: number | null, signal: NodeJS.Signals | null): LmdError {
  return new LmdError(
    'BACKEND_FAILURE',
    `The training process ended unexpectedly (${signal ?? `exit code ${code}`}).`,
    {
      subject: 'process',
      value: signal ?? code,
      remedy: 'If memory ran out, use a smaller batchSize. Resume with lmd train --resume <run folder>.',
    },
  );
}
