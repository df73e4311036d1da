import { exitCodes } from './errors.js';

/**
 * Ctrl-C, the friendly way: the first one aborts the signal, so that the step is finished and a checkpoint written; the second
 * ends the process at once. SIGTERM does as the first.
 *
 * @param tell is called on the first, to say what is happening.
 */
export function interruptSignal(tell: () => void): { readonly signal: AbortSignal; dispose(): void } {
  const controller = new AbortController();
  const onSignal = () => {
    if (controller.signal.aborted) process.exit(exitCodes.interrupted);
    controller.abort();
    tell();
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  return {
    signal: controller.signal,
    dispose() {
      process.off('SIGINT', onSignal);
      process.off('SIGTERM', onSignal);
    },
  };
}
