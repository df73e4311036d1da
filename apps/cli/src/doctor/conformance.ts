import { pathToFileURL } from 'node:url';
import type * as Conformance from '@lmd/conformance';
import { LmdError } from '@lmd/core';
import type { BackendChoice } from '../configuration/backend-schema.js';
import { openBackend } from '../engine/index.js';
import { serializeError } from '../errors.js';
import { resolvePackage } from '../modules/resolve-package.js';

export interface ConformanceSummary {
  readonly level: 'quick';
  /** Reproduces the run. */
  readonly seed: number;
  readonly passed: number;
  readonly failed: readonly { readonly name: string; readonly message: string }[];
  readonly seconds: number;
}

/**
 * The suite, which is no part of the command: that of the working directory, or that installed with the command.
 *
 * @throws LmdError `ENGINE_MISSING` if it is not installed.
 */
async function loadConformance(): Promise<typeof Conformance> {
  const name = '@lmd/conformance';
  const own = resolvePackage(name, process.cwd());
  try {
    return (await import(own === undefined ? name : pathToFileURL(own).href)) as typeof Conformance;
  } catch (cause) {
    throw new LmdError('ENGINE_MISSING', 'lmd doctor --backend runs the tests of @lmd/conformance: not installed.', {
      subject: name,
      remedy: 'Install it in this folder: npm install --save-dev @lmd/conformance',
      cause,
    });
  }
}

/** Runs the quick level of the conformance suite. `onProgress` is called after each test. */
export async function runQuickConformance(
  backend: BackendChoice,
  onProgress: (done: number, total: number) => void,
): Promise<ConformanceSummary> {
  const { quickTestNames, runConformance } = await loadConformance();
  const quick = new Set(quickTestNames);
  let done = 0;
  const { passed, failed, seed, milliseconds } = await runConformance({
    name: typeof backend === 'string' ? backend : backend.module,
    create: () => openBackend(backend),
    filter: (name) => quick.has(name),
    onResult: () => onProgress(++done, quick.size),
  });
  return {
    level: 'quick',
    seed,
    passed: passed.length,
    failed: failed.map(({ name, error }) => ({ name, message: serializeError(error).message })),
    seconds: milliseconds / 1000,
  };
}
