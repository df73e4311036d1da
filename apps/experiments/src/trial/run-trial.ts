import { createCpuBackend } from '@lmd/backends/cpu';
import { createReferenceBackend } from '@lmd/backends/reference';
import { createOperations, type EagerOperations, isLmdError, type Model, type NamedTensors, sizeOf } from '@lmd/core';
import { evaluate, type Plugin, train } from '@lmd/training';
import { buildModel } from '../study/models.js';
import { createOptimizer } from '../study/rules.js';
import type { TrialConfig } from './config.js';
import { loadData, type TrialDatasets } from './data.js';
import { finalLoss, stretchMeans } from './losses.js';
import { measureLayers } from './measures.js';
import { studyPrecision } from './precision.js';
import type { Evaluation, TrialResult } from './result.js';
import { countSpikes } from './spikes.js';

/** Points of the training curve that the ledger keeps. */
const curvePoints = 25;

/**
 * Runs one trial in this process, from its first step to its last evaluation. A value that is not finite ends it as a result.
 *
 * @param folder where the data's files are, for data that has some.
 * @param threads of the cpu backend, which change no bit of the result.
 * @param onStep is told how far it is, after every step.
 */
export async function runTrial(
  config: TrialConfig,
  folder: string | undefined,
  threads = 1,
  onStep: (step: number) => void = () => {},
): Promise<TrialResult> {
  const data = await loadData(config.data, folder);
  const backend = config.backend === 'cpu' ? await createCpuBackend({ threads }) : createReferenceBackend();
  try {
    return await trainAndEvaluate(createOperations(backend), config, data, onStep);
  } finally {
    backend.close?.();
  }
}

async function trainAndEvaluate(
  ops: EagerOperations,
  config: TrialConfig,
  data: TrialDatasets,
  onStep: (step: number) => void,
): Promise<TrialResult> {
  const { classes } = data;
  const { rule, options, rest, clipNorm, warmup, steps, evaluateEvery, evaluationBatchSize } = config;
  const model = buildModel(config.model, config.data);
  const optimizer = createOptimizer({ rule, options, rest: rest ?? {}, clipNorm, warmup, steps });
  const losses: number[] = [];
  const validation: [number, number, number][] = [];
  const measures: { step: number; products: TrialResult['measures'][number]['products'] }[] = [];
  const watch: Plugin = {
    name: 'study',
    step({ step, loss }) {
      losses.push(loss);
      onStep(step);
    },
    evaluate({ split, step, loss, accuracy }) {
      if (split === 'validation' && Number.isFinite(loss)) validation.push([step, loss, accuracy]);
    },
    async settle({ step }, run) {
      if (!config.measureAt.includes(step)) return;
      const weights = run.evaluationWeights();
      try {
        measures.push({ step, products: await measure(ops, model, weights, config, data) });
      } finally {
        ops.dispose(weights);
      }
    },
  };

  const common = () => ({
    trainingLoss: finalLoss(losses),
    spikes: countSpikes(losses),
    curve: stretchMeans(losses, curvePoints),
    validation,
    measures,
    parameters: Object.values(model.parameters).reduce((sum, { shape }) => sum + sizeOf(shape), 0),
    device: ops.backend.device,
  });

  try {
    const trained = await train({
      ops,
      model,
      optimizer,
      precision: studyPrecision(config.format),
      data: { train: data.train, validation: data.validation, ...(config.split === 'test' ? { test: data.test } : {}) },
      seed: config.seed,
      steps,
      batchSize: config.batchSize,
      ...(evaluateEvery === undefined ? {} : { evaluateEvery }),
      evaluationBatchSize,
      evaluationWeights: 'mean',
      plugins: [watch],
    });
    try {
      const last = config.split === 'test' ? trained.test! : trained.validation!;
      const deployed: Record<string, Evaluation> = {};
      for (const format of config.deploy) {
        const { loss, accuracy } = await evaluate({
          ops,
          model,
          weights: trained.weights,
          dataset: data[config.split],
          precision: studyPrecision(format),
          batchSize: evaluationBatchSize,
        });
        if (Number.isFinite(loss)) deployed[format] = { loss, accuracy };
      }
      const shared = common();
      // Weights that are finite can still give logits that are not, and then the accuracy means nothing.
      const finite = Number.isFinite(last.loss);
      return {
        diverged: !finite || !(shared.trainingLoss! < Math.log(classes)),
        ...(finite ? {} : { reason: `The ${config.split} loss is ${last.loss}` }),
        loss: finite ? last.loss : null,
        accuracy: finite ? last.accuracy : null,
        ...shared,
        deployed,
      };
    } finally {
      trained.dispose();
    }
  } catch (error) {
    if (!isLmdError(error, 'NON_FINITE')) throw error;
    return {
      diverged: true,
      divergedAt: losses.length,
      reason: error.message.split(', the first tensor')[0]!,
      loss: null,
      accuracy: null,
      ...common(),
      deployed: {},
    };
  }
}

/** Measures the layers on the first examples of the validation data. */
async function measure(
  ops: EagerOperations,
  model: Model,
  weights: NamedTensors,
  { format, deploy, measuredExamples, model: { depth } }: TrialConfig,
  { validation }: TrialDatasets,
) {
  const measured = format === 'fp32' ? deploy.filter(isBlockFormat) : [format];
  if (measured.length === 0) return [];
  const count = Math.min(measuredExamples, validation.size);
  const { inputs } = await validation.batch(Int32Array.from({ length: count }, (_, index) => index));
  const images = ops.fromData(inputs.data, inputs.shape);
  try {
    return await measureLayers({ ops, model, weights, images, format, measured, depth });
  } finally {
    ops.dispose(images);
  }
}

function isBlockFormat(format: string): boolean {
  return format !== 'fp32' && format !== 'bf16';
}
