import type { QueuePriority } from '@lmd/distributed';
import { clusterRunner } from '../cluster/cluster-runner.js';
import { codeIdentity } from '../cluster/code-identity.js';
import { connectTransport } from '../cluster/connect.js';
import { workerGroup } from '../cluster/messages.js';
import { type LocalRunnerOptions, localRunner, type TrialRunner } from './trial-runner.js';

export interface PlaceOptions extends LocalRunnerOptions {
  /** Address of the server whose workers run the trials; undefined: they run on this machine. */
  readonly on?: string | undefined;
  readonly upload: boolean;
  readonly priority: QueuePriority;
  readonly say: (text: string) => void;
}

/** Calls a function with the place where trials run, and leaves it afterwards. */
export async function withTrialRunner<T>(
  { on, ...options }: PlaceOptions,
  body: (runner: TrialRunner) => Promise<T>,
): Promise<T> {
  if (on === undefined) return body(localRunner(options));
  const { say } = options;
  const transport = await connectTransport(on);
  try {
    const runner = await clusterRunner({ ...options, transport, code: codeIdentity(options.checkout) });
    try {
      const count = (await transport.members.list(workerGroup)).length;
      say(`${transport.name}: ${count} ${count === 1 ? 'worker' : 'workers'}. Each lmd worker <server> adds one.`);
      return await body(runner);
    } finally {
      await runner.close();
    }
  } finally {
    await transport.close();
  }
}
