import { join } from 'node:path';
import { serializeError } from '../errors.js';
import { describeEnvironment } from '../experiment/ledger/provenance.js';
import { type FinishedTrial, runTrial, trialConfiguration } from '../experiment/run-trial.js';
import { encode, resultQueueOf, type TrialAnswer, type TrialOrder } from './messages.js';
import { type ServeContext, type Service, tell } from './service.js';

/** Time in milliseconds between two reports of a trial's step. */
const reportMs = 500;

/** Runs a trial as a study does on its own machine, and answers with the result. */
export function serveTrial(context: ServeContext, order: TrialOrder): Service {
  const { host, work, threads, signal, worker, transport, execute = runTrial } = context;
  const { trial, run, data } = order;
  const { hash, label } = trial;

  async function answer(outcome: TrialAnswer['outcome']): Promise<void> {
    const { node, machine } = describeEnvironment(undefined);
    const date = new Date().toISOString();
    await transport
      .queue(resultQueueOf(run))
      .add(hash, encode({ hash, worker, node, machine, date, outcome } satisfies TrialAnswer));
  }

  return {
    label,
    dataAt: async (path) => (await trialConfiguration(trial, path)).data,
    async run(path) {
      let reported = Number.NEGATIVE_INFINITY;
      const onStep = (step: number) => {
        if (performance.now() - reported < reportMs) return;
        reported = performance.now();
        // Progress that is lost is not missed.
        tell(context, order, { type: 'step', hash, step, worker }).catch(() => {});
      };
      onStep(0);
      const folder = join(work, hash.slice(0, 16));
      const finished = await execute(trial, { host, folder, data: path, threads, signal, onStep });
      await answer({ finished: data.kind === 'files' ? withPath(finished, path!, data.path) : finished });
    },
    fail: (error) => answer({ error: serializeError(error) }),
  };
}

/** The result with the path of the study's data where that of this machine is, so that records do not differ by it. */
function withPath(finished: FinishedTrial, path: string, original: string): FinishedTrial {
  const { data } = finished.result;
  if (data === undefined) return finished;
  return { ...finished, result: { ...finished.result, data: data.replaceAll(path, original) } };
}
