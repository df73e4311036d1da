import { existsSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isLmdError, LmdError } from '@lmd/core';
import { type MetricsLine, readMetrics } from '@lmd/training/node';
import { parseConfiguration } from '../configuration/load.js';
import { resolveConfiguration } from '../configuration/resolve.js';
import type { Configuration } from '../configuration/schema.js';
import { runLayout } from '../run/layout.js';
import { saveConfiguration } from '../run/run-folder.js';
import type { ProductNoise } from '../trial/product-noise.js';
import type { TrialHost } from '../trial/request.js';
import { readTrialSummary, type TrialSummary } from '../trial/summary.js';
import { finalLoss, stretchMeans } from './losses.js';
import type { Evaluation, RecordedResult } from './result.js';
import { countSpikes } from './spikes.js';
import type { PlannedTrial } from './trial.js';

/** Number of points of the training curve in the ledger. */
const curvePoints = 25;

export interface RunTrialOptions {
  /** Runs a configuration of `lmd train`, in this process or another. */
  readonly host: TrialHost;
  /** Run folder of the trial; removed when the trial is done. */
  readonly folder: string;
  /** Folder or file of the data, overrides that of the configuration. */
  readonly data?: string | undefined;
  /** Threads of the cpu backend. Results are bit-identical for any number. */
  readonly threads: number;
  readonly signal: AbortSignal;
  /** Called after every step with the progress of the trial. */
  readonly onStep: (step: number) => void;
}

export interface FinishedTrial {
  readonly result: RecordedResult;
  /** Wall-clock seconds of training and evaluation, summed over the parts of a resumed trial. */
  readonly seconds: number;
}

/** The complete configuration of a trial, with its data located. */
export async function trialConfiguration(trial: PlannedTrial, data?: string): Promise<Configuration> {
  const raw = { name: 'trial', ...trial.configuration };
  const key = ['imageCsv', 'text'].includes(String(raw.data.kind)) ? 'path' : 'folder';
  const located = data === undefined ? raw : { ...raw, data: { ...raw.data, [key]: data } };
  return resolveConfiguration(parseConfiguration(located, trial.label), trial.label);
}

/**
 * Runs one trial from its first step, or from its newest checkpoint, to its last evaluation. If a value is not finite,
 * the trial ends with that as its result.
 *
 * @throws LmdError `INTERRUPTED` if the signal stopped it: its checkpoint stays, and the next call resumes
 *   bit-identically. Errors of training keep their code.
 */
export async function runTrial(trial: PlannedTrial, options: RunTrialOptions): Promise<FinishedTrial> {
  const { host, folder, data, threads, signal, onStep } = options;
  const configuration = await trialConfiguration(trial, data);
  const layout = runLayout(folder).trial('trial');
  await mkdir(folder, { recursive: true });
  // The folder has the same layout as a run of `lmd train`.
  await saveConfiguration(folder, configuration);
  const request = { configuration, index: 0, folder: layout.folder, threads, report: false };
  const began = performance.now();
  let failure: LmdError | undefined;
  try {
    const outcome = await host(request, (event) => event.type === 'step' && onStep(event.step), signal);
    if (outcome.status === 'interrupted') throw new LmdError('INTERRUPTED', `Stopped ${trial.label}.`);
  } catch (error) {
    if (!isLmdError(error, 'NON_FINITE')) throw error;
    failure = error;
  }
  const lines = existsSync(layout.metrics) ? await readMetrics(layout.metrics) : [];
  const finished =
    failure === undefined
      ? finishedTrial(trial, lines, readTrialSummary(layout.folder)!)
      : { result: divergedResult(lines, failure), seconds: (performance.now() - began) / 1000 };
  await rm(folder, { recursive: true, force: true });
  return finished;
}

/** The working folders of trials. */
export const workFolders = (out: string): string => join(out, 'work');

/** Working folder of a trial until it is done. */
export function workFolder(out: string, hash: string): string {
  return join(workFolders(out), hash.slice(0, 16));
}

function measuresOf(lines: readonly MetricsLine[]): RecordedResult['measures'] {
  return lines.flatMap((line) =>
    line.type === 'report' && line.plugin === 'quantizationNoise'
      ? [{ step: line.step, products: (line.data as unknown as { products: readonly ProductNoise[] }).products }]
      : [],
  );
}

/** Flips and oscillation of the codes in the steps in which both were measured. */
function codesOf(lines: readonly MetricsLine[]): NonNullable<RecordedResult['codes']> {
  const reported = (plugin: string) =>
    lines.flatMap((line): [number, number][] =>
      line.type === 'report' && line.plugin === plugin ? [[line.step, (line.data as { all: number }).all]] : [],
    );
  const returned = new Map(reported('oscillationRate'));
  return reported('flipRate').flatMap(([step, flipped]) =>
    returned.has(step) ? [{ step, flipped, returned: returned.get(step)! }] : [],
  );
}

function common(lines: readonly MetricsLine[]) {
  const losses = lines.flatMap((line) => (line.type === 'step' ? [line.loss] : [])).filter(Number.isFinite);
  const validation = lines.flatMap((line): [number, number, number][] =>
    line.type === 'evaluation' && line.split === 'validation' && Number.isFinite(line.loss)
      ? [[line.step, line.loss, line.accuracy]]
      : [],
  );
  const codes = codesOf(lines);
  return {
    trainingLoss: finalLoss(losses),
    spikes: countSpikes(losses),
    curve: stretchMeans(losses, curvePoints),
    validation,
    measures: measuresOf(lines),
    ...(codes.length === 0 ? {} : { codes }),
  };
}

function finishedTrial(trial: PlannedTrial, lines: readonly MetricsLine[], summary: TrialSummary): FinishedTrial {
  const { result, device, parameters, weightNorm, data, samples, uniformLoss } = summary;
  const {
    testLoss,
    testAccuracy,
    validationLoss,
    validationAccuracy,
    deployed = {},
    faulty,
    seconds,
    peakMemoryBytes,
  } = result;
  const shared = common(lines);
  const loss = trial.split === 'test' ? testLoss! : validationLoss!;
  const accuracy = trial.split === 'test' ? testAccuracy! : validationAccuracy!;
  // Finite weights can still give logits that are not finite. The accuracy is then meaningless.
  const finite = Number.isFinite(loss);
  return {
    seconds,
    result: {
      diverged: !finite || !(shared.trainingLoss! < uniformLoss!),
      ...(finite ? {} : { reason: `The ${trial.split} loss is ${loss}` }),
      loss: finite ? loss : null,
      accuracy: finite ? accuracy : null,
      ...shared,
      deployed: finiteOnes(deployed),
      ...(faulty === undefined ? {} : { faulty: finiteOnes(faulty) }),
      ...(samples === undefined ? {} : { samples }),
      ...(weightNorm === undefined ? {} : { weightNorm }),
      parameters,
      device,
      data,
      peakMemoryBytes,
    },
  };
}

const finiteOnes = (evaluations: NonNullable<TrialSummary['result']['deployed']>): Record<string, Evaluation> =>
  Object.fromEntries(
    Object.entries(evaluations).filter((entry): entry is [string, Evaluation] => Number.isFinite(entry[1].loss)),
  );

function divergedResult(lines: readonly MetricsLine[], error: LmdError): RecordedResult {
  const steps = lines.filter(({ type }) => type === 'step').length;
  const reason = error.message.split(', the first tensor')[0]!;
  return { diverged: true, divergedAt: steps, reason, loss: null, accuracy: null, ...common(lines), deployed: {} };
}
