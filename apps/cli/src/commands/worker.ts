import { access, constants, mkdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import { LmdError, messageOf } from '@lmd/core';
import { interruptSignal } from '@lmd/training/node';
import { checkoutOf } from '../cluster/checkout.js';
import { codeIdentity } from '../cluster/code-identity.js';
import { connectTransport } from '../cluster/connect.js';
import { serve } from '../cluster/serve.js';
import { UsageError } from '../errors.js';
import type { Terminal } from '../output/terminal.js';
import { inChildProcess } from '../trial/hosts.js';

export interface WorkerCommandOptions {
  readonly parallel: number;
  readonly threads: number;
  readonly data?: string;
  readonly work: string;
  readonly idle?: number;
}

/**
 * `lmd worker`: runs trials of a server's queue until Ctrl-C.
 *
 * @throws LmdError `INTERRUPTED` after Ctrl-C, or a signal that acts like it
 */
export async function workerCommand(
  url: string,
  { parallel, threads, data, work, idle }: WorkerCommandOptions,
  terminal: Terminal,
  program: string,
): Promise<void> {
  const say = (text: string) => void terminal.error.write(`${text}\n`);
  const code = codeIdentity(checkoutOf(program));
  await prepareWork(resolve(work));
  const transport = await connectTransport(url);
  const interrupt = interruptSignal(() =>
    say('Finishing the step and handing back; press Ctrl-C again to exit at once.'),
  );
  try {
    say(`${transport.name}: waiting for trials of studies and searches, and for parts of trainings.`);
    const finished = await serve({
      transport,
      server: url,
      host: inChildProcess(program),
      code,
      work: resolve(work),
      data: data === undefined ? undefined : resolve(data),
      parallel,
      threads,
      idleMs: idle === undefined ? undefined : 1000 * idle,
      signal: interrupt.signal,
      say,
    });
    if (interrupt.signal.aborted) throw new LmdError('INTERRUPTED', `Stopped; ${finished} finished.`);
    say(`${finished} finished.`);
  } finally {
    interrupt.dispose();
    await transport.close();
  }
}

/** Fails before the worker takes anything, which would fail a study or a training elsewhere. */
async function prepareWork(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
    await access(folder, constants.W_OK);
  } catch (cause) {
    throw new UsageError('FILE_SYSTEM', `--work: ${folder} cannot be used: ${messageOf(cause)}.`, {
      subject: '--work',
      value: folder,
      remedy: 'Use a folder in which this user may write.',
      cause,
    });
  }
}
