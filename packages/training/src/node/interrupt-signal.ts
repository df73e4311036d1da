/** 128 and the number of SIGINT, as a shell has it. */
const interrupted = 130;

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Under npm, one Ctrl-C arrives twice: from the terminal, which sends it to all of its processes, and from npm, which
 * hands it on.
 */
const sameKeyPress = 1000;

/**
 * Ctrl-C, the friendly way: the first one aborts the signal, so that the step is finished and a checkpoint written;
 * another, a second later or more, ends the process at once, with exit code 130. SIGTERM counts as Ctrl-C, and SIGHUP,
 * which a closed terminal sends. Give the signal to `train`.
 *
 * @param tell is called on the first, to say what is happening.
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
