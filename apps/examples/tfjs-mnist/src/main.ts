import { mkdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { LmdError } from '@lmd/core';
import { writeFileAtomic } from '@lmd/safetensors/node';
import { Command, InvalidArgumentError, Option } from 'commander';
import { mnist } from './data.js';
import { type EngineName, engineNames, startEngine } from './engine.js';
import { reportPage, resultsTable } from './report.js';
import { captionOf, study } from './study.js';

interface Options {
  readonly steps: number;
  readonly batch: number;
  readonly seed: number;
  readonly engine: EngineName;
  readonly limit?: number;
  readonly out: string;
  readonly readme?: string;
}

export interface Streams {
  readonly out: { write(text: string): unknown };
  readonly progress: { write(text: string): unknown; readonly isTTY?: boolean };
}

/** The command. Results go to `out`, progress to `progress`, and a report into the folder `--out`. */
export async function main(args: readonly string[], streams: Streams): Promise<void> {
  const command = new Command('tfjs-mnist')
    .description('Trains a convolutional network on MNIST in TensorFlow.js with Adam and LMD, in FP32 and MXFP6.')
    .option('--steps <count>', 'training steps of each of the four runs', positive, 400)
    .option('--batch <count>', 'batch size', positive, 64)
    .option('--seed <number>', 'random seed of weights, data order and posterior samples', whole, 0)
    .addOption(new Option('--engine <name>', 'engine of TensorFlow.js').choices([...engineNames]).default('wasm'))
    .option('--limit <count>', 'use only the first images of each set', positive)
    .option('--out <folder>', 'folder for report.html and results.json', 'runs/tfjs-mnist')
    .option('--readme <file>', 'write the table between the results markers of a Markdown file')
    .configureOutput({ writeOut: (text) => streams.out.write(text), writeErr: (text) => streams.progress.write(text) })
    .exitOverride();
  const options = command.parse([...args], { from: 'user' }).opts<Options>();

  const { steps, batch: batchSize, seed } = options;
  const engine = await startEngine(options.engine);
  const data = await mnist(options.limit);
  const progress = progressWriter(streams.progress, steps);
  const results = await study({
    data,
    optimizers: ['adam', 'lmd'],
    precisions: ['fp32', 'mxfp6_e3m2'],
    steps,
    batchSize,
    seed,
    onStep: progress,
  });
  const caption = captionOf({ steps, batchSize, seed, engine, date: new Date() });
  const table = resultsTable(results);
  await mkdir(options.out, { recursive: true });
  const report = resolve(options.out, 'report.html');
  await writeFileAtomic(report, reportPage(results, caption));
  await writeFileAtomic(join(options.out, 'results.json'), `${JSON.stringify({ caption, results }, undefined, 1)}\n`);
  if (options.readme !== undefined) await putIntoReadme(options.readme, `${table}\n\n${caption}`);
  streams.out.write(`${table}\n\n${caption}\n\nLoss curves: ${report}\n`);
}

function progressWriter({ write, isTTY }: Streams['progress'], steps: number) {
  const every = Math.max(1, Math.round(steps / (isTTY ? 100 : 5)));
  let mean: number | undefined;
  return (run: string, step: number, loss: number) => {
    mean = step === 0 || mean === undefined ? loss : 0.95 * mean + 0.05 * loss;
    const last = step === steps - 1;
    if (!last && step % every !== 0) return;
    const line = `${run.padEnd(16)} step ${String(step + 1).padStart(String(steps).length)}/${steps}  loss ${mean.toFixed(4)}`;
    write(isTTY ? `\r${line}${last ? '\n' : ''}` : `${line}\n`);
  };
}

async function putIntoReadme(path: string, results: string): Promise<void> {
  const text = await readFile(path, 'utf8');
  const marked = /<!-- results -->[\s\S]*<!-- \/results -->/;
  if (!marked.test(text)) {
    throw new LmdError('INVALID_ARGUMENT', `${path} has no markers <!-- results --> and <!-- /results -->.`, {
      subject: 'readme',
      value: path,
      remedy: 'Add both markers where the table belongs.',
    });
  }
  const filled = text.replace(marked, () => `<!-- results -->\n${results}\n<!-- /results -->`);
  await writeFileAtomic(path, filled);
}

function positive(text: string): number {
  const number = Number(text);
  if (Number.isSafeInteger(number) && number > 0) return number;
  throw new InvalidArgumentError('Use a positive integer.');
}

function whole(text: string): number {
  const number = Number(text);
  if (Number.isSafeInteger(number) && number >= 0) return number;
  throw new InvalidArgumentError('Use an integer of at least 0.');
}
