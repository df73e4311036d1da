/** 128 plus the number of SIGINT, as in shells. */
const interrupted = 130;

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * With npm, one Ctrl-C arrives twice: from the terminal, which sends it to all of its processes, and from npm, which
 * forwards it.
 */
const sameKeyPress = 1000;

/**
 * An abort signal for `train` from Ctrl-C. The first Ctrl-C aborts the signal, so that the step is finished and a
 * checkpoint is written. A second one, at least one second later, exits immediately with code 130. SIGTERM and SIGHUP
 * (sent by a closed terminal) act like Ctrl-C.
 *
 * @param tell called on the first signal, to notify the user.
 */
export function interruptSignal(tell: () => void = () => {}): { readonly signal: AbortSignal; dispose(): void } {
  const controller = new AbortController();
  let first = 0;
  const onSignal = () => {
    if (controller.signal.aborted) {
      if (performance.now() - first >= sameKeyPress) process.exit(interrupted);
      return;
    }
    first = performance.now();
    controller.abort();
    tell();
  };
  for (const name of signals) process.on(name, onSignal);
  return {
    signal: controller.signal,
    dispose() {
      for (const name of signals) process.off(name, onSignal);
    },
  };
}
