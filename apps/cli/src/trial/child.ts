import { serializeError } from '../errors.js';
import type { FromChild, ToChild, TrialOutcome } from './request.js';

function tell(message: FromChild): Promise<void> {
  // Sending to a parent that has exited fails. The disconnect handler then ends this process.
  return new Promise((resolve) => process.send!(message, undefined, undefined, () => resolve()));
}

/**
 * The child process of a run: receives one request over IPC, runs it, and reports its events. It ends when its parent
 * ends. Ctrl-C and SIGHUP reach both processes; the child ignores them and waits for the parent's message. SIGTERM
 * stops it like that message.
 */
export async function runAsChild(): Promise<void> {
  process.on('disconnect', () => process.exit(1));
  for (const name of ['SIGINT', 'SIGHUP'] as const) process.on(name, () => {});
  const controller = new AbortController();
  process.on('SIGTERM', () => controller.abort());
  const received = new Promise<Extract<ToChild, { type: 'run' }>>((resolve) => {
    process.on('message', (message: ToChild) => {
      if (message.type === 'stop') controller.abort();
      else resolve(message);
    });
  });
  await tell({ type: 'ready' });
  const { request } = await received;
  const { inThisProcess } = await import('./hosts.js');
  // Only work keeps this process alive from here on, so that `settled` notices a promise that nothing can settle.
  process.channel?.unref();
  let outcome: TrialOutcome;
  try {
    outcome = await inThisProcess(request, (event) => void tell({ type: 'event', event }), controller.signal);
    await tell({ type: 'outcome', outcome });
    process.exitCode = 0;
  } catch (error) {
    await tell({ type: 'error', error: serializeError(error) });
    process.exitCode = 1;
    // A timer of a module that failed would keep the process alive.
    setTimeout(() => process.exit(), 1000).unref();
  }
  process.removeAllListeners('disconnect');
  process.disconnect();
}
