import { type ChildProcess, fork } from 'node:child_process';
import { LmdError } from '@lmd/core';
import { childArgument, type FromChild, type TrialRequest } from './child.js';
import type { TrialResult } from './result.js';

export interface HostedResult {
  readonly result: TrialResult;
  /** Wall-clock time of the process. */
  readonly seconds: number;
  /** Processor time of the process, which a pause or a busy machine leaves alone. */
  readonly cpuSeconds: number;
}

/**
 * Runs a trial in a process of its own. Aborting the signal kills it: a trial is whole or it has not been.
 *
 * @param program the path of `bin.js`.
 * @throws LmdError `BACKEND_FAILURE` where the process ends without a result, `INTERRUPTED` where the signal ended it, and what
 * the trial itself throws, under its own code.
 */
export function runInChild(
  program: string,
  request: TrialRequest,
  signal: AbortSignal,
  onStep: (step: number) => void,
): Promise<HostedResult> {
  return new Promise((resolve, reject) => {
    const began = performance.now();
    const child: ChildProcess = fork(program, [childArgument, request.label], { stdio: ['ignore', 2, 2, 'ipc'] });
    let outcome: (() => void) | undefined;
    const kill = () => child.kill('SIGKILL');
    if (signal.aborted) kill();
    else signal.addEventListener('abort', kill, { once: true });
    child.on('message', (message: FromChild) => {
      switch (message.type) {
        case 'ready':
          child.send(request);
          break;
        case 'step':
          onStep(message.step);
          break;
        case 'result': {
          const { result, cpuSeconds } = message;
          const seconds = (performance.now() - began) / 1000;
          outcome = () => resolve({ result, seconds, cpuSeconds });
          break;
        }
        case 'error':
          outcome = () => reject(failure(request, message));
          break;
      }
    });
    const settle = (how: () => void) => {
      signal.removeEventListener('abort', kill);
      how();
    };
    child.on('error', (cause) =>
      settle(() => reject(new LmdError('BACKEND_FAILURE', `A trial could not start: ${cause.message}.`, { cause }))),
    );
    child.on('exit', (code, name) =>
      settle(() => {
        if (outcome !== undefined) outcome();
        else if (signal.aborted) reject(new LmdError('INTERRUPTED', `Stopped in ${request.label}.`));
        else reject(ended(request, code, name));
      }),
    );
  });
}

function failure({ label }: TrialRequest, { code, message }: Extract<FromChild, { type: 'error' }>): LmdError {
  return new LmdError((code ?? 'BACKEND_FAILURE') as LmdError['code'], `Trial ${label} failed: ${message}`, {
    subject: label,
  });
}

function ended({ label }: TrialRequest, code: number | null, name: string | null): LmdError {
  return new LmdError('BACKEND_FAILURE', `The process of ${label} ended early (${name ?? `exit code ${code}`}).`, {
    subject: label,
    value: name ?? code,
    remedy: 'Run the study again: it goes on with this trial. If memory ran out, lower --parallel.',
  });
}
