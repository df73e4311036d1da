/** Those that wait for a promise, the innermost last. */
const waiting: ((error: unknown) => void)[] = [];

const giveUp = (): void => waiting.at(-1)?.(undefined);

/**
 * Waits for a promise, and throws `failure()` as soon as nothing is left that could settle it. Node would end the
 * process at that point without a message, with exit code 13, and without `finally` blocks.
 *
 * @param seconds throws `failure(seconds)` after this time, for a promise that something else keeps waiting.
 */
export async function settled<T>(
  promise: Promise<T>,
  failure: (seconds?: number) => unknown,
  seconds?: number,
): Promise<T> {
  let entry: ((error: unknown) => void) | undefined;
  let timer: NodeJS.Timeout | undefined;
  const unsettled = new Promise<never>((_, reject) => {
    entry = () => reject(failure());
    // The timer does not keep the process alive: a promise that nothing can settle fails at once.
    if (seconds !== undefined) timer = setTimeout(() => reject(failure(seconds)), 1000 * seconds).unref();
  });
  if (waiting.length === 0) process.on('beforeExit', giveUp);
  waiting.push(entry!);
  try {
    return await Promise.race([promise, unsettled]);
  } finally {
    clearTimeout(timer);
    waiting.splice(waiting.lastIndexOf(entry!), 1);
    if (waiting.length === 0) process.off('beforeExit', giveUp);
  }
}
