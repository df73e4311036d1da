import { expectedHash, hashOfLogits, recordRun } from '../../packages/conformance/src/testing/logits-of-a-run.js';

/** Whether a backend gives the logits that every other one gives for a recorded training run, to the bit. */
export async function compareLogits(backend: Parameters<typeof hashOfLogits>[0]) {
  const hash = await hashOfLogits(backend, await recordRun());
  return { hash, expected: expectedHash, same: hash === expectedHash };
}
