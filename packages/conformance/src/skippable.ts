/** Skips the test if the framework passes a context with `skip`: vitest and `node:test` do. */
export function skippable(body: () => Promise<void>, broken: () => string | undefined): () => Promise<void> {
  // Without a parameter: jest would pass a callback, and vitest would parse it as fixtures.
  return async function run() {
    // biome-ignore lint/complexity/noArguments: see above
    const context = arguments[0] as { skip?: (reason: string) => void } | undefined;
    const reason = broken();
    if (reason === undefined || typeof context?.skip !== 'function') return body();
    context.skip(`not run: ${reason}`);
  };
}
