/** Skips the test where its framework hands it a context that can: vitest and `node:test` do. */
export function skippable(body: () => Promise<void>, broken: () => string | undefined): () => Promise<void> {
  // No parameter: jest would take one for a callback, and vitest's fixtures for a pattern of theirs.
  return async function run() {
    // biome-ignore lint/complexity/noArguments: see above
    const context = arguments[0] as { skip?: (reason: string) => void } | undefined;
    const reason = broken();
    if (reason === undefined || typeof context?.skip !== 'function') return body();
    context.skip(`not run: ${reason}`);
  };
}
