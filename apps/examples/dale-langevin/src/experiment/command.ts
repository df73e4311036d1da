import { mkdir } from 'node:fs/promises';
import { type EagerOperations, sizeOf } from '@lmd/core';
import {
  type ExampleCommand,
  type ExampleContext,
  type ExampleOutcome,
  type Pictures,
  picturesOf,
} from '@lmd/example-shared';
import { precisionPreset } from '@lmd/models';
import { tableOf } from '@lmd/report';
import { lockRun } from '@lmd/training/node';
import type { MultiplicativeScore } from '../process.js';
import { correlatedStart, independentStart, type SamplerOptions, samplePictures } from '../samplers.js';
import { scoreNetwork, scoreOf } from '../score-network.js';
import { type Judgement, judge, trainClassifier } from './classifier.js';
import { compareSamples, scoreError } from './mixture-check.js';
import { type DaleLangevinOptions, daleLangevinOptionTable } from './options.js';
import { pictureGrid } from './pictures.js';
import { logMoments, openTask, type Task } from './task.js';
import { trainingShare, trainScore } from './train-score.js';

/** Pictures that the classifier is trained with at most, and that are judged as a reference. */
const limits = { classifier: 20_000, steps: 1000, judged: 1000 };
/** Times at which the learned score of the mixture is compared with the exact one. */
const times = [0.05, 0.2, 0.5, 1];

const percent = (fraction: number) => `${(100 * fraction).toFixed(1)} %`;

/** Trains a score network or resumes, samples from it, and judges the samples. */
export const daleLangevin: ExampleCommand<typeof daleLangevinOptionTable> = {
  name: 'dale-langevin',
  table: daleLangevinOptionTable,
  fileName: ({ data, optimizer }) => `dale-langevin-${data}-${optimizer}`,
  async run(options, context) {
    await mkdir(context.base, { recursive: true });
    const lock = await lockRun(context.base);
    try {
      return await measure(options, context);
    } finally {
      await lock.release();
    }
  },
};

async function measure(options: DaleLangevinOptions, context: ExampleContext): Promise<ExampleOutcome> {
  const { ops } = context;
  const { seed, levels, precision } = options;
  const task = await openTask(options);
  const moments = await logMoments(task.train);
  const network = scoreNetwork({ process: task.process, ...task.network, ...moments });
  const began = performance.now();
  const trained = await trainScore(network, task, moments, options, context);
  const sampledFrom = performance.now();
  const passes = { training: false, precision: precisionPreset(precision), key: { seed, step: 0, sample: 0 } };
  const score = scoreOf(network, trained.weights, passes);

  const { pictures = task.pictures } = options;
  const { inputs: examples } = await task.train.batch(Int32Array.from({ length: 1000 }, (_, index) => index));
  const start =
    options.process === 'paper'
      ? independentStart(ops, task.process, moments, [pictures, ...task.train.inputShape], seed)
      : correlatedStart(ops, task.process, ops.fromData(examples.data, examples.shape), pictures, seed);
  const sampler = samplerOf(task, options);
  const samples = await samplePictures(ops, task.process, score, start, seed, sampler, (level) =>
    context.report(trainingShare + ((1 - trainingShare) * level) / levels, 1, `sampling, level ${level} of ${levels}`),
  );
  const samplingSeconds = (performance.now() - sampledFrom) / 1000;

  const steps = options.steps ?? task.steps;
  const parameters = Object.values(network.parameters).reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  const secondsPerStep = trained.seconds / steps;
  const judged =
    task.test === undefined
      ? await compareWithMixture(ops, task, score, samples, seed)
      : await judgeByClassifier(task.train, task.test, samples, (await ops.read(start)) as Float32Array);
  return {
    table: judged.table,
    facts: [
      `${options.data}: a score network of ${parameters.toLocaleString('en')} parameters, trained with ` +
        `${options.optimizer} for ${steps} steps of ${options.batchSize} in ${precision}, ` +
        `${secondsPerStep.toFixed(3)} s per step, to a loss of ${trained.loss!.toFixed(4)}; seed ${seed}.`,
      `Sampler: ${sampler.rule}, ${levels} levels, inner steps ${sampler.inner}; ` +
        `${pictures} samples in ${samplingSeconds.toFixed(0)} s.`,
      ...judged.facts,
    ],
    results: { parameters, loss: trained.loss, secondsPerStep, samplingSeconds, ...moments, ...judged.results },
    ...(task.test === undefined ? {} : { picture: await pictureGrid(samples, task.network.imageSize) }),
    earlierSeconds: Math.max(0, trained.seconds - (sampledFrom - began) / 1000),
  };

  async function judgeByClassifier(
    train: Task['train'],
    test: NonNullable<Task['test']>,
    samples: Float32Array,
    noise: Float32Array,
  ) {
    const data = { train: await picturesOf(train, limits.classifier), test: await picturesOf(test, test.size) };
    const classifier = await trainClassifier(ops, data, { steps: Math.min(steps, limits.steps), seed }, context.report);
    const first = ({ images, pixels }: Pictures) => images.subarray(0, limits.judged * pixels);
    const rows: Readonly<Record<string, Judgement>> = {
      'test pictures': await judge(ops, classifier, first(data.test)),
      samples: await judge(ops, classifier, samples),
      'starting noise': await judge(ops, classifier, noise),
    };
    const titles = ['number', 'mean confidence', 'confidence > 0.9', 'classes 0 … 9', 'effective classes'];
    return {
      table: tableOf(
        ['pictures', ...titles],
        Object.entries(rows).map(([name, { pictures, confidence, confident, counts, effectiveClasses }]) => [
          ...[name, String(pictures), percent(confidence), percent(confident)],
          ...[counts.join(' '), effectiveClasses.toFixed(1)],
        ]),
      ),
      facts: [`The classifier is right on ${percent(classifier.accuracy)} of the test pictures.`],
      results: { accuracy: classifier.accuracy, judged: rows },
    };
  }
}

/** The learned score and the samples beside the exact score and as many draws of the mixture. */
async function compareWithMixture(
  ops: EagerOperations,
  { process }: Task,
  score: MultiplicativeScore,
  samples: Float32Array,
  seed: number,
) {
  const errors: number[] = [];
  for (const time of times) errors.push(await scoreError(ops, process, score, time, seed + 1));
  const compared = compareSamples(samples, seed + 1);
  const fixed = (values: readonly number[]) => values.map((value) => value.toFixed(2)).join(' ');
  return {
    table: tableOf(
      ['', 'learned', 'exact'],
      [
        ...times.map((time, i) => [`relative error of the score, t = ${time}`, percent(errors[i]!), '']),
        ['mean of log x', fixed(compared.samples.mean), fixed(compared.drawn.mean)],
        ['standard deviation of log x', fixed(compared.samples.deviation), fixed(compared.drawn.deviation)],
        ['p-value of the energy test', compared.pValue.toFixed(3), ''],
      ],
    ),
    facts: ['The samples are compared with as many draws of the mixture.'],
    results: { times, errors, ...compared },
  };
}

/** Exact time reversal, or the paper's tuned settings: smaller steps, and noise that decays by 0.995 in 1/1000. */
function samplerOf({ tuned }: Task, { rule, levels, inner }: DaleLangevinOptions): SamplerOptions {
  const options = { rule, levels, inner: inner ?? (rule === 'unconstrained' ? 4 : 1) };
  return tuned === undefined ? options : { ...options, stepScale: tuned[rule], decay: 0.995 ** (1000 / levels) };
}
