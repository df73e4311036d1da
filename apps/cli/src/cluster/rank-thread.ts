import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { portTransport } from '@lmd/distributed';
import { type SerializedError, serializeError } from '../errors.js';
import type { TrialOutcome, TrialRequest } from '../trial/request.js';
import { runTrial } from '../trial/run-trial.js';
import { provideTransport } from './rank.js';

/** What the thread of a worker is given. */
export interface RankThread {
  readonly request: TrialRequest;
  readonly port: MessagePort;
}

/** How it ended. */
export type FromRank = { readonly outcome: TrialOutcome } | { readonly error: SerializedError };

const { request, port } = workerData as RankThread;
const controller = new AbortController();
parentPort!.on('message', () => controller.abort());
const transport = portTransport(port);
const withdraw = provideTransport(request.rank!.run, transport);
let ended: FromRank;
try {
  ended = { outcome: await runTrial(request, () => {}, controller.signal) };
} catch (error) {
  ended = { error: serializeError(error) };
}
withdraw();
await transport.close();
parentPort!.postMessage(ended);
parentPort!.close();
