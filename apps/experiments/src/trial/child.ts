import type { LmdError } from '@lmd/core';
import type { TrialConfig } from './config.js';
import type { TrialResult } from './result.js';

/** By which the program becomes the process of a trial. It stands in the process's title too, so that trials can be found. */
export const childArgument = 'lmd-study-trial';

export interface TrialRequest {
  readonly config: TrialConfig;
  readonly folder: string | undefined;
  readonly threads: number;
  readonly label: string;
}

export type FromChild =
  | { readonly type: 'ready' }
  | { readonly type: 'step'; readonly step: number }
  | { readonly type: 'result'; readonly result: TrialResult; readonly cpuSeconds: number }
  | { readonly type: 'error'; readonly code: string | undefined; readonly message: string };

/** Milliseconds between two messages about steps. */
const interval = 500;

/** Takes one request over IPC, runs it and tells the result. It ends when its parent does, and leaves Ctrl-C to the parent. */
export async function runAsChild(): Promise<void> {
  process.on('disconnect', () => process.exit(1));
  for (const name of ['SIGINT', 'SIGHUP'] as const) process.on(name, () => {});
  const tell = (message: FromChild) =>
    new Promise<void>((resolve) => process.send!(message, undefined, undefined, () => resolve()));
  const received = new Promise<TrialRequest>((resolve) => process.once('message', resolve));
  await tell({ type: 'ready' });
  const { config, folder, threads, label } = await received;
  process.title = `${childArgument}: ${label}`;
  const { runTrial } = await import('./run-trial.js');
  let told = performance.now();
  try {
    const result = await runTrial(config, folder, threads, (step) => {
      if (performance.now() - told < interval) return;
      told = performance.now();
      void tell({ type: 'step', step });
    });
    const { user, system } = process.cpuUsage();
    await tell({ type: 'result', result, cpuSeconds: (user + system) / 1e6 });
  } catch (error) {
    const { message, code } = error as Partial<LmdError>;
    await tell({ type: 'error', code, message: message ?? String(error) });
  }
  process.removeAllListeners('disconnect');
  process.disconnect();
}
