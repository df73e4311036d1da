import { type DrawKey, type EagerOperations, faultyWeights, type NamedTensors, sizeOf } from '@lmd/core';
import { lmdParameter, precisionPreset } from '@lmd/models';
import { evaluate, type TrainResult } from '@lmd/training';
import { faultName } from '../configuration/faults-schema.js';
import { precisionOf } from '../configuration/schema.js';
import { describeData, geometryOf } from '../data/index.js';
import { describePreprocessing } from '../data/preprocessing.js';
import type { RunData } from '../data/run-data.js';
import type { TrialResult } from '../run/types.js';
import { evaluationBatchSize } from './batch-sizes.js';
import { configuredIdentity } from './identity.js';
import type { PeakMemory } from './peak-memory.js';
import type { TrialRequest } from './request.js';
import { sampleTexts } from './sample-texts.js';
import type { TrialSummary } from './summary.js';
import type { TrainedModel } from './trained-model.js';
import { weightNorm } from './weight-norm.js';

/**
 * The contents of `summary.json` of a finished trial. Evaluates the weights in the other formats, and generates the
 * sample texts.
 */
export async function summarizeTrial(
  ops: EagerOperations,
  request: TrialRequest,
  trainedModel: TrainedModel,
  data: RunData,
  trained: TrainResult,
  memory: PeakMemory,
): Promise<TrialSummary> {
  const { configuration, index } = request;
  const { steps, batchSize, seed } = configuration;
  const { model } = trainedModel;
  const geometry = geometryOf(configuration.data);
  const isText = geometry.kind === 'tokens';
  const { validation, test } = trained;
  const optimizer = configuration.optimizers[index]!;
  const parameters = Object.values(model.parameters).reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  const examplesPerParameter = (trained.step * batchSize) / parameters;
  return {
    result: {
      optimizer: optimizer.name,
      format: precisionOf(configuration, optimizer),
      validationAccuracy: validation!.accuracy,
      validationLoss: validation!.loss,
      ...(test === undefined ? {} : { testAccuracy: test.accuracy, testLoss: test.loss }),
      ...(await deployments(ops, request, trainedModel, data, trained)),
      ...(await withFaults(ops, request, trainedModel, data, trained)),
      seconds: trained.seconds,
      // A run that was resumed after its last step has no measured speed.
      imagesPerSecond: trained.samplesPerSecond || (steps * batchSize) / trained.seconds,
      peakMemoryBytes: memory.bytes(),
      ...(isText && test !== undefined ? { testPerplexity: Math.exp(test.loss) } : {}),
      ...(isText ? { tokensPerSecond: trained.samplesPerSecond * geometry.length } : {}),
    },
    ...(await sampleTexts(ops, request, trained, trainedModel)),
    steps,
    device: ops.backend.device,
    model: model.name,
    parameters,
    examplesPerParameter,
    ...(isText ? { tokensPerParameter: examplesPerParameter * geometry.length } : {}),
    weightNorm: await weightNorm(ops, trained.weights),
    data: describeData(configuration.data, data),
    ...(geometry.kind === 'images' && geometry.preprocessing !== undefined
      ? { preprocessing: describePreprocessing(geometry.preprocessing) }
      : {}),
    uniformLoss: Math.log(isText ? geometry.vocabularySize : geometry.classes),
    identity: { ...configuredIdentity(configuration, index), steps, batchSize, seed },
  };
}

/** Evaluates weights of the trained model on the data of its last evaluation, the test set if that is evaluated. */
function evaluatorOf(
  ops: EagerOperations,
  { configuration }: TrialRequest,
  { model, architecture }: TrainedModel,
  data: RunData,
) {
  const dataset = configuration.evaluation.test ? data.test : data.validation;
  const batchSize = evaluationBatchSize(configuration, architecture, ops.backend, dataset.size);
  return async (weights: NamedTensors, format: string, key: DrawKey) => {
    const precision = precisionPreset(format);
    const { accuracy, loss } = await evaluate({ ops, model, weights, dataset, precision, batchSize, key });
    return { accuracy, loss };
  };
}

/** Evaluates the trained weights in the other configured formats. */
async function deployments(
  ops: EagerOperations,
  request: TrialRequest,
  trainedModel: TrainedModel,
  data: RunData,
  { weights, step }: TrainResult,
): Promise<Pick<TrialResult, 'deployed'>> {
  const { evaluation, seed } = request.configuration;
  if (evaluation.formats.length === 0) return {};
  const evaluated = evaluatorOf(ops, request, trainedModel, data);
  const deployed: Record<string, { accuracy: number; loss: number }> = {};
  for (const format of evaluation.formats) {
    deployed[format] = await evaluated(weights, format, { seed, step, sample: 0 });
  }
  return { deployed };
}

/** Evaluates the trained weights under each configured fault, averaged over its draws. */
async function withFaults(
  ops: EagerOperations,
  request: TrialRequest,
  trainedModel: TrainedModel,
  data: RunData,
  { weights, step }: TrainResult,
): Promise<Pick<TrialResult, 'faulty'>> {
  const { configuration, index } = request;
  const { evaluation, seed } = configuration;
  if (evaluation.faults === undefined) return {};
  const evaluated = evaluatorOf(ops, request, trainedModel, data);
  const format = precisionOf(configuration, configuration.optimizers[index]!);
  const faulty: Record<string, { accuracy: number; loss: number }> = {};
  for (const fault of evaluation.faults) {
    let [accuracy, loss] = [0, 0];
    for (let sample = 0; sample < fault.draws; sample++) {
      const key = { seed, step, sample };
      const changed = faultyWeights(ops, weights, fault, key, lmdParameter);
      try {
        const found = await evaluated(changed, format, key);
        accuracy += found.accuracy / fault.draws;
        loss += found.loss / fault.draws;
      } finally {
        ops.dispose(changed);
      }
    }
    faulty[faultName(fault)] = { accuracy, loss };
  }
  return { faulty };
}
