import { mkdir } from 'node:fs/promises';
import { arch, availableParallelism, cpus, platform } from 'node:os';
import { dirname, join } from 'node:path';
import { createCpuBackend } from '@lmd/backends/cpu';
import { createOperations, LmdError, optimizerFromDescription, sizeOf } from '@lmd/core';
import { groupsBesideAdamw, precisionPreset } from '@lmd/models';
import { writeFileAtomic } from '@lmd/safetensors/node';
import { progress, train, weightAveraging } from '@lmd/training';
import { checkpointing, latestCheckpoint, lockRun } from '@lmd/training/node';
import { type Judgement, judge, trainClassifier } from './classifier.js';
import { compareSamples, scoreError } from './mixture-check.js';
import { type CommandOptions, parseOptions, usage } from './options.js';
import { pictureGrid } from './pictures.js';
import { type Results, reportPage, resultsTable, writeReadme } from './report.js';
import { correlatedStart, independentStart, type SamplerOptions, samplePictures } from './samplers.js';
import { scoreLoss, scoreNetwork, scoreOf } from './score-network.js';
import { logMoments, openTask, type Task } from './task.js';

export interface Streams {
  readonly out: { write(text: string): unknown };
  readonly progress: { write(text: string): unknown; readonly isTTY?: boolean };
}

const times = [0.05, 0.2, 0.5, 1];

/**
 * Trains a score network, samples from it, judges the samples, and writes everything into the output folder. If that
 * folder has checkpoints, the run resumes from them.
 *
 * @param signal aborting it saves the state after the current step.
 * @throws LmdError `INTERRUPTED` if it is aborted; and errors of options, data and files.
 */
export async function main(args: readonly string[], streams: Streams, signal?: AbortSignal): Promise<void> {
  const options = parseOptions(args);
  if (options === undefined) {
    streams.out.write(usage());
    return;
  }
  const out = options.out ?? join('runs', 'dale-langevin', `${options.data}-${options.optimizer}`);
  await mkdir(out, { recursive: true });
  const lock = await lockRun(out);
  try {
    await run(options, out, streams, signal);
  } finally {
    await lock.release();
  }
}

async function run(options: CommandOptions, out: string, streams: Streams, signal?: AbortSignal): Promise<void> {
  const { seed, batchSize, optimizer: rule, rule: sampler, levels } = options;
  const precision = precisionPreset(options.precision);
  const task = await openTask(options);
  const { steps = task.steps, pictures = task.pictures, learningRate = rule === 'lmd' ? 0.01 : 0.002 } = options;
  const moments = await logMoments(task.train);
  const ops = createOperations(await createCpuBackend());
  const network = scoreNetwork({ process: task.process, ...task.network, ...moments });
  const folder = join(out, 'checkpoints');
  const result = await train({
    ops,
    model: network,
    optimizer: optimizerOf(rule, learningRate, steps, network.parameters),
    precision,
    data: { train: task.train },
    loss: scoreLoss(network, { process: task.process, ...moments }),
    seed,
    steps,
    batchSize,
    plugins: [
      progressOf('score network', streams.progress),
      weightAveraging({ decay: 0.995 }),
      checkpointing({ folder, every: 100, best: 'none' }),
    ],
    resume: () => latestCheckpoint(folder),
    configuration: { rule, learningRate, steps, process: { ...task.process } },
    ...(signal === undefined ? {} : { signal }),
  });
  if (result.status === 'interrupted') throw interrupted(out);
  ops.dispose(result.state.tensors);

  const context = { training: false, precision, key: { seed, step: 0, sample: 0 } };
  const score = scoreOf(network, result.weights, context);
  const settings = samplerOf(task, sampler, levels, options.inner);
  const size = task.network.imageSize;
  const shape = [pictures, size, size, 1];
  const { inputs: examples } = await task.train.batch(Int32Array.from({ length: 1000 }, (_, index) => index));
  const start =
    options.process === 'paper'
      ? independentStart(ops, task.process, moments, shape, seed)
      : correlatedStart(ops, task.process, ops.fromData(examples.data, examples.shape), pictures, seed);
  const noise = (await ops.read(start)) as Float32Array;
  const began = performance.now();
  const write = lineWriter(streams.progress);
  const samples = await samplePictures(ops, task.process, score, start, seed, settings, (level) => {
    if (signal?.aborted === true) throw interrupted(out);
    if (!streams.progress.isTTY && level % Math.ceil(levels / 5) !== 0 && level < levels) return;
    const seconds = ((performance.now() - began) / 1000 / level) * (levels - level);
    write(`sampling  level ${level}/${levels}  ${Math.ceil(seconds)} s left`, level === levels);
  });
  const samplingSeconds = (performance.now() - began) / 1000;

  let classified: Results['classified'];
  let mixture: Results['mixture'];
  if (task.test !== undefined) {
    const classifier = await trainClassifier(
      ops,
      { train: task.train, test: task.test },
      { folder: join(out, 'classifier'), steps: Math.min(steps, 1000), seed, signal },
      [progressOf('classifier', streams.progress)],
    );
    if (classifier === undefined) throw interrupted(out);
    const tested = await task.test.batch(Int32Array.from({ length: Math.min(1000, task.test.size) }, (_, i) => i));
    const of = (pictures: Float32Array): Promise<Judgement> => judge(ops, classifier, pictures, [size, size]);
    classified = {
      accuracy: classifier.accuracy,
      rows: {
        'test pictures': await of(tested.inputs.data as Float32Array),
        samples: await of(samples.map((value) => Math.min(2, Math.max(1, value)))),
        'starting noise': await of(noise.map((value) => Math.min(2, Math.max(1, value)))),
      },
    };
  } else {
    const errors = await Promise.all(times.map((time) => scoreError(ops, task.process, score, time, seed + 1)));
    mixture = { times, errors, ...compareSamples(samples, seed + 1) };
  }
  const results: Results = {
    options: { ...options, steps, pictures, learningRate, sampler: { ...settings } },
    parameters: Object.values(network.parameters).reduce((sum, { shape }) => sum + sizeOf(shape), 0),
    loss: result.loss!,
    secondsPerStep: result.seconds / steps,
    samplingSeconds,
    peakMemoryBytes: ops.memory().peakBytes,
    date: new Date().toISOString().slice(0, 10),
    machine: `${cpus()[0]?.model ?? arch()}, ${availableParallelism()} cores, ${platform()}, Node ${process.versions.node}`,
    ...moments,
    ...(classified === undefined ? {} : { classified }),
    ...(mixture === undefined ? {} : { mixture }),
  };
  const grid = await pictureGrid(samples, size);
  await writeFileAtomic(join(out, 'samples.png'), grid);
  await writeFileAtomic(join(out, 'metrics.json'), `${JSON.stringify(results, undefined, 1)}\n`);
  await writeFileAtomic(join(out, 'report.html'), reportPage(results, grid));
  if (options.readme !== undefined) {
    await writeReadme(options.readme, results);
    if (task.test !== undefined)
      await writeFileAtomic(join(dirname(options.readme), `samples-${options.data}-${rule}.png`), grid);
  }
  streams.out.write(
    `${resultsTable(results)}\n\nSamples: ${join(out, 'samples.png')}\nReport: ${join(out, 'report.html')}\n`,
  );
}

/** LMD for matrices and AdamW for the rest, or AdamW for all, with a warm-up and a cosine decay. */
function optimizerOf(
  rule: CommandOptions['optimizer'],
  learningRate: number,
  steps: number,
  parameters: Parameters<typeof groupsBesideAdamw>[1],
) {
  const lmd = { learningRate, regularization: 0.54, noise: 0.05, priorMedianFloor: 0.3 };
  const own = rule === 'lmd' ? { rule, options: lmd } : { rule, options: { learningRate, beta2: 0.99 } };
  return optimizerFromDescription({
    groups: groupsBesideAdamw(own, parameters, { learningRate: 0.002, beta2: 0.99 }),
    schedule: { kind: 'cosine', warmup: Math.min(50, steps - 1), decay: steps, final: 0.02 },
    clipNorm: 1,
  });
}

/** Exact time reversal, or the paper's tuned settings: smaller steps, and noise that decays by 0.995 in 1/1000. */
function samplerOf({ tuned }: Task, rule: CommandOptions['rule'], levels: number, given?: number): SamplerOptions {
  const options = { rule, levels, inner: given ?? (rule === 'unconstrained' ? 4 : 1) };
  return tuned === undefined ? options : { ...options, stepScale: tuned[rule], decay: 0.995 ** (1000 / levels) };
}

function progressOf(what: string, stream: Streams['progress']) {
  const write = lineWriter(stream);
  return progress({
    interval: stream.isTTY ? 200 : 10_000,
    onProgress: undefined,
    write: (line) => write(`${what}  ${line}`, line.includes('(100.0 %)')),
  });
}

/** Overwrites the line on a terminal; elsewhere, writes lines. */
function lineWriter(stream: Streams['progress']) {
  return (line: string, last: boolean) =>
    stream.write(stream.isTTY ? `\r\u001b[K${line}${last ? '\n' : ''}` : `${line}\n`);
}

function interrupted(out: string): LmdError {
  return new LmdError('INTERRUPTED', `Stopped. The state is in ${out}.`, {
    subject: 'signal',
    remedy: 'Run the same command again to resume.',
  });
}
