import { relative, sep } from 'node:path';
import { isLmdError } from '@lmd/core';
import type { ClassifyOptions, LoadedModel, PreparedImage } from '@lmd/inference';
import type { NodeImageInput } from '@lmd/inference/node';
import { bar } from '../output/progress-line.js';
import { eraseLine, type Terminal } from '../output/terminal.js';
import { count, duration } from '../output/units.js';

/** The prediction for one file. */
export interface Prediction {
  readonly file: string;
  readonly label: number;
  readonly className: string;
  readonly probability: number;
  /** Standard deviation over the posterior samples. */
  readonly spread?: number;
  readonly top: readonly Omit<Prediction, 'file' | 'top'>[];
}

export interface Predictions {
  readonly predictions: readonly Prediction[];
  /** Images that cannot be decoded, or read. */
  readonly undecodable: readonly { readonly file: string; readonly reason: string }[];
  /** From the first image to the last. */
  readonly seconds: number;
}

interface Reporting {
  /** Files are named relative to it, and one that cannot be decoded does not end the command. */
  readonly folder: string | undefined;
  readonly terminal: Terminal;
  /** Without progress. */
  readonly isQuiet: boolean;
}

/** Images prepared while as many are classified. */
const groupSize = 32;

/** Classifies image files, and decodes the next while it does, with progress on a terminal. */
export async function predictImages(
  model: LoadedModel<NodeImageInput>,
  paths: readonly string[],
  options: ClassifyOptions,
  { folder, terminal, isQuiet }: Reporting,
): Promise<Predictions> {
  const predictions: Prediction[] = [];
  const undecodable: { file: string; reason: string }[] = [];
  const began = performance.now();
  const secondsSince = () => (performance.now() - began) / 1000;
  const nameOf = (path: string) => (folder === undefined ? path : relative(folder, path).split(sep).join('/'));

  /** The inputs of a group; undefined for an image that cannot be decoded. */
  const prepare = (from: number) => {
    const group = paths.slice(from, from + groupSize);
    const prepared = Promise.all(group.map((path) => prepareOne(path)));
    // Its error is that of the turn that waits for it.
    prepared.catch(() => {});
    return prepared;
  };

  async function prepareOne(path: string): Promise<{ file: string; input: PreparedImage | undefined }> {
    const file = nameOf(path);
    try {
      return { file, input: await model.prepare(path) };
    } catch (error) {
      const isOfFile = isLmdError(error, 'DATA_CORRUPT') || isLmdError(error, 'FILE_SYSTEM');
      if (folder === undefined || !isOfFile) throw error;
      undecodable.push({ file, reason: typeof error.value === 'string' ? error.value : error.message });
      return { file, input: undefined };
    }
  }

  const progress = !isQuiet && terminal.error.isTTY === true;
  let next = prepare(0);
  for (let from = 0; from < paths.length; from += groupSize) {
    const prepared = await next;
    next = prepare(from + groupSize);
    const decoded = prepared.filter((one): one is { file: string; input: PreparedImage } => one.input !== undefined);
    const inputs = decoded.map(({ input }) => input);
    for (const [row, result] of (await model.classify(inputs, options)).entries()) {
      const { label, className, probability, spread, top } = result;
      const rest = spread === undefined ? {} : { spread };
      predictions.push({ file: decoded[row]!.file, label, className, probability, ...rest, top });
    }
    const done = Math.min(paths.length, from + groupSize);
    if (progress) {
      terminal.error.write(`${eraseLine}${imagesLine(done, paths.length, secondsSince(), terminal.error.columns)}`);
    }
  }
  if (progress) terminal.error.write(eraseLine);
  return { predictions, undecodable, seconds: secondsSince() };
}

/** `predict  ████░░░░  320/1,000  45.1 images/s  0:15 left`, at most as long as the terminal is wide. */
export function imagesLine(done: number, total: number, seconds: number, columns = 80): string {
  const speed = done / seconds;
  const numbers = [
    `${count(done)}/${count(total)}`,
    `${speed.toFixed(1)} images/s`,
    `${duration((total - done) / speed)} left`,
  ].join('  ');
  const room = columns - 1 - 'predict'.length - numbers.length - 4;
  const width = Math.min(30, room);
  return (width < 8 ? `predict  ${numbers}` : `predict  ${bar(done / total, width)}  ${numbers}`).slice(0, columns - 1);
}
