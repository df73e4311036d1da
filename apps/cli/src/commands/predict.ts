import { readFileSync, statSync } from 'node:fs';
import { extname, resolve } from 'node:path';
import { resolveOptions } from '@lmd/core';
import { imageExtensions } from '@lmd/data/node';
import type { ModelFile } from '@lmd/inference';
import { loadOpenModel } from '@lmd/inference/node';
import type { BackendChoice } from '../configuration/backend-schema.js';
import { samplingTable } from '../configuration/samples-schema.js';
import { openBackend } from '../engine/index.js';
import { exitCodes, UsageError } from '../errors.js';
import { jsonLine } from '../output/json.js';
import { writeNotes } from '../output/notes.js';
import { predictionsCsv, predictionTable } from '../output/predictions.js';
import { keepStandardOutputClean, type Terminal } from '../output/terminal.js';
import { count } from '../output/units.js';
import { checkPreprocessing } from '../predict/check-preprocessing.js';
import { imagesOf, missingInput, unusedNotes } from '../predict/images-of.js';
import { predictImages } from '../predict/predict-images.js';
import { openModelOrRun } from '../trial/run-model.js';
import { usualTopK } from './choices.js';
import { generateCommand } from './generate.js';

export interface PredictCommandOptions {
  readonly optimizer?: string;
  readonly topK?: number;
  readonly samples?: number;
  readonly seed?: number;
  readonly format?: string;
  readonly backend: BackendChoice;
  readonly csv?: boolean;
  readonly json?: boolean;
}

/**
 * `lmd predict`: classifies an image or the images in a folder; with a language model, continues the text of a file.
 * Images that cannot be decoded are named, and the exit code is then 1.
 */
export async function predictCommand(
  path: string,
  input: string,
  options: PredictCommandOptions,
  terminal: Terminal,
): Promise<void> {
  if (options.json) keepStandardOutputClean();
  if (options.json && options.csv) {
    throw new UsageError('INVALID_ARGUMENT', '--json and --csv cannot be combined.', {
      subject: '--csv',
      value: true,
      remedy: 'Use one of them.',
    });
  }
  const file = await openModelOrRun(path, options.optimizer);
  try {
    if (file.describe()?.architecture === 'gpt2') return await continueText(path, input, options, terminal);
    await classifyImages(file, input, options, terminal);
  } finally {
    await file.close();
  }
}

async function classifyImages(
  file: ModelFile,
  input: string,
  options: PredictCommandOptions,
  terminal: Terminal,
): Promise<void> {
  const { topK = usualTopK, samples, seed, format } = options;
  const { images, isFolder, unused } = await imagesOf(input);
  checkPreprocessing(file);
  const backend = await openBackend(options.backend);
  try {
    const model = await loadOpenModel(file, { backend, ...(format === undefined ? {} : { format }) });
    writeNotes(model, terminal);
    writeNotes({ notes: unusedNotes(unused) }, terminal);
    const { predictions, undecodable, seconds } = await predictImages(
      model,
      images,
      {
        topK,
        ...(samples === undefined ? {} : { samples }),
        ...(seed === undefined ? {} : { seed }),
      },
      { folder: isFolder ? resolve(input) : undefined, terminal, isQuiet: !isFolder || options.json === true },
    );
    model.dispose();
    const imagesPerSecond = predictions.length / seconds;
    if (options.json) {
      const result = { type: 'predictions', model: file.path, classNames: model.classNames, predictions, undecodable };
      terminal.out.write(jsonLine({ ...result, seconds, imagesPerSecond }));
    } else if (options.csv) {
      terminal.out.write(predictionsCsv(predictions));
    } else if (predictions.length > 0) {
      const layout = { styleTitle: terminal.colours.bold, columns: terminal.out.columns };
      terminal.out.write(`${predictionTable(predictions, layout)}\n`);
    }
    const { dim, red } = terminal.errorColours;
    if (isFolder && !options.json) {
      const speed = `${count(predictions.length)} images in ${seconds.toFixed(1)} s, ${imagesPerSecond.toFixed(1)} images/s`;
      terminal.error.write(`${dim(`${speed} on ${backend.device}`)}\n`);
    }
    if (undecodable.length === 0) return;
    for (const { file, reason } of undecodable) terminal.error.write(`${red('error')} ${file}: ${reason}\n`);
    process.exitCode = exitCodes.failure;
  } finally {
    backend.close?.();
  }
}

/** A text file is a prompt: what `lmd generate` makes of it by default. */
async function continueText(
  path: string,
  input: string,
  options: PredictCommandOptions,
  terminal: Terminal,
): Promise<void> {
  const { backend, optimizer, json, seed = 0, format = 'fp32' } = options;
  for (const name of ['topK', 'samples', 'csv'] as const) {
    if (options[name] === undefined) continue;
    const flag = `--${name === 'topK' ? 'top-k' : name}`;
    throw new UsageError('INVALID_ARGUMENT', `${flag} is for models of images, and ${path} is a language model.`, {
      subject: flag,
      value: options[name],
      remedy: 'Omit it, or use lmd generate, which has options for sampling text.',
    });
  }
  const found = statSync(input, { throwIfNoEntry: false });
  if (found === undefined) throw missingInput(input, 'Use the path of a text file, or lmd generate with --prompt.');
  if (found.isDirectory() || imageExtensions.includes(extname(input).toLowerCase())) {
    throw new UsageError('INVALID_ARGUMENT', `${input} is not a text file, and ${path} is a language model.`, {
      subject: 'input',
      value: input,
      remedy: 'Use a text file, whose text is continued, or lmd generate with --prompt.',
    });
  }
  // The newline at the end of a file is not meant.
  const prompt = readFileSync(input, 'utf8').replace(/\r?\n$/, '');
  if (prompt === '') {
    throw new UsageError('INVALID_ARGUMENT', `${input} is empty, and has no text to continue.`, {
      subject: 'input',
      value: input,
      remedy: 'Use a file with text, or lmd generate without a prompt, which begins a document.',
    });
  }
  const { temperature, topP, repetitionPenalty } = resolveOptions('predict', samplingTable, {});
  const sampling = { temperature, topP, repetitionPenalty };
  await generateCommand(
    path,
    {
      prompt: [prompt],
      ...sampling,
      seed,
      format,
      backend,
      ...(optimizer === undefined ? {} : { optimizer }),
      ...(json === undefined ? {} : { json }),
    },
    terminal,
  );
}
