import { basename, extname, join, resolve } from 'node:path';
import { readCorpus, readImageTable } from '@lmd/data/node';
import { usualValidation } from '../configuration/data-schema.js';
import { applyOverrides } from '../configuration/overrides.js';
import type { ConfigurationInput } from '../configuration/schema.js';
import { count } from '../output/units.js';
import { surveyData, usualSide } from './survey.js';

/** A configuration made for data that was given instead of one. */
export interface Proposal {
  readonly configuration: ConfigurationInput;
  /** What it was made for: `300 images`. */
  readonly found: string;
}

/**
 * A configuration for data of one's own: a small model whose size, patch size and number of steps follow from the
 * number and the size of the images, or from the length of the text.
 *
 * @param path a folder or a file, of which `isData` holds.
 * @param assignments those of `--set`, of which `steps` and keys such as `data.field` are considered.
 * @throws UsageError `INVALID_ARGUMENT` if it is unclear what the data is; errors of reading it.
 */
export async function proposeConfiguration(path: string, assignments: readonly string[] = []): Promise<Proposal> {
  const reading = readingOf(assignments);
  const { steps } = reading;
  const name = nameOf(path);
  const found = surveyData(path);
  switch (found.kind) {
    case 'images':
      return await ofImages(
        name,
        { kind: 'imageFolder', folder: path },
        found.files,
        steps,
        join(resolve(path), 'train'),
      );
    case 'csv': {
      const columns = { pathColumn: 'path', labelColumn: 'label', ...reading.csv };
      const files = readImageTable(path, columns, 'data.').rows.map(({ file }) => file);
      return await ofImages(name, { kind: 'imageCsv', path, ...reading.csv }, files, steps);
    }
    case 'mnist':
      return imagesOf(name, { kind: 'mnist', folder: path }, 60_000, 28, 'MNIST files', steps);
    case 'tokens':
      return textOf(
        name,
        { kind: 'tokens', folder: path, length: 128 },
        4_000_000,
        undefined,
        'prepared tokens',
        steps,
      );
    case 'text': {
      const { documents } = readCorpus({ path, ...reading.text }, 'data.');
      const characters = documents.reduce((sum, { text }) => sum + text.length, 0);
      const isShort = characters < shortText;
      const length = isShort ? (characters < 20_000 ? 32 : characters < 50_000 ? 64 : 128) : 128;
      const tokenizer = isShort ? 'characters' : 'gpt2';
      const prompt = /^\s*(\S+(?:\s+\S+)?)/.exec(documents[0]!.text)?.[1] ?? '';
      const what = `${count(characters)} characters of text`;
      return textOf(name, { kind: 'text', path, ...reading.text, tokenizer, length }, characters, prompt, what, steps);
    }
  }
}

interface Considered {
  readonly data: Readonly<Record<string, unknown>>;
  readonly steps?: unknown;
}

/** The assigned keys that other keys of the configuration follow from. */
function readingOf(assignments: readonly string[]) {
  const own = assignments.filter((assignment) => /^(data\.|steps=)/.test(assignment));
  const { data, steps } = applyOverrides({ data: {} }, own) as Considered;
  const some = (names: readonly string[]) =>
    Object.fromEntries(names.flatMap((name) => (typeof data[name] === 'string' ? [[name, data[name]]] : [])));
  return {
    // The schedule follows from it. What is no number of steps is refused with the whole configuration.
    steps: typeof steps === 'number' && Number.isInteger(steps) && steps > 0 ? steps : undefined,
    csv: some(['pathColumn', 'labelColumn']) as { readonly pathColumn?: string; readonly labelColumn?: string },
    text: some(['field', 'separator']) as { readonly field?: string; readonly separator?: string },
  };
}

/** Below, a text is too short to learn the 50,257 tokens of GPT-2. */
const shortText = 2_000_000;

/** The name of a run on data: that of its folder or file. */
export function nameOf(path: string): string {
  const name = basename(resolve(path), extname(path))
    .replace(/[^A-Za-z0-9_-]+/g, '-')
    .replace(/^[-_]+/, '');
  return name === '' ? 'run' : name;
}

type Data = ConfigurationInput['data'];

/** Below, decoding each image once before training takes seconds, and one damaged image need not end the run. */
const fewImages = 10_000;

/** @param parts the folder of the training images, if the folder has one. */
async function ofImages(
  name: string,
  data: Data,
  files: readonly string[],
  given: number | undefined,
  parts?: string,
): Promise<Proposal> {
  const inParts = parts === undefined ? [] : files.filter((file) => file.startsWith(parts));
  const side = (await usualSide(files)) ?? 64;
  return imagesOf(
    name,
    data,
    inParts.length > 0 ? inParts.length : files.length,
    side,
    `${count(files.length)} images`,
    given,
  );
}

/**
 * @param images number of images, with those that are held out.
 * @param side usual side of an image, in pixels.
 * @param given number of steps, if it is assigned.
 */
function imagesOf(
  name: string,
  data: Data,
  images: number,
  side: number,
  found: string,
  given: number | undefined,
): Proposal {
  const isSmall = side < 48;
  const patchSize = isSmall ? 4 : 8;
  const size = isSmall ? Math.max(8, Math.floor(side / 4) * 4) : images < 2000 || side < 96 ? 64 : 96;
  const scale =
    images < 1000 ? { width: 64, depth: 3 } : images < 10_000 ? { width: 128, depth: 4 } : { width: 192, depth: 6 };
  const training = images - 2 * Math.min(usualValidation, Math.ceil(images / 10));
  // Small sets overfit: on 240 training pictures, 60 epochs with shifts alone had the higher validation loss.
  const isFew = images < 1000;
  const batchSize = batchOf(isFew ? 2 * training : training);
  const steps = given ?? rounded(Math.min(3000, Math.max(300, ((isFew ? 42 : 60) * training) / batchSize)));
  const isFolder = data.kind === 'imageFolder' || data.kind === 'imageCsv';
  // Below 32 pixels, images are mostly characters and symbols, which a flip would change.
  const augmentation =
    size < 32
      ? { padding: Math.max(1, Math.floor(size / 14)) }
      : { scale: [isSmall ? 0.4 : 0.5, 1] as [number, number], flip: 0.5 };
  return {
    found,
    configuration: {
      name,
      steps,
      batchSize,
      data: isFolder ? { ...data, size, augmentation, ...(images < fewImages ? { undecodable: 'skip' } : {}) } : data,
      model: { kind: 'vit', patchSize, ...scale, heads: scale.width / 32, pooling: 'classToken' },
      optimizers: [
        {
          ...{ name: 'lmd', rule: 'lmd', learningRate: 9.6e-3, regularization: 0.54, noise: 0.11 },
          priorMedianFloor: 0.3,
          rest: { learningRate: 9.9e-3, beta2: 0.99, weightDecay: 0 },
          schedule: schedule(steps),
        },
      ],
      ...saved(steps),
    },
  };
}

function textOf(
  name: string,
  data: Data,
  characters: number,
  prompt: string | undefined,
  found: string,
  given: number | undefined,
): Proposal {
  const length = (data as { readonly length: number }).length;
  const isVeryShort = characters < 100_000;
  const scale = isVeryShort
    ? { width: 64, depth: 2 }
    : characters < shortText
      ? { width: 128, depth: 4 }
      : { width: 192, depth: 6 };
  const batchSize = Math.min(16, batchOf((0.9 * characters) / length));
  const steps = given ?? (isVeryShort ? 600 : 1500);
  // A short run needs the higher rate: at 0.02, 600 steps end before LMD has learned what AdamW has.
  const rates = isVeryShort
    ? { learningRate: 0.06, regularization: 0.05 }
    : { learningRate: 0.02, regularization: 0.2 };
  return {
    found,
    configuration: {
      name,
      steps,
      batchSize,
      data,
      model: { kind: 'gpt2', ...scale, heads: scale.width / 32 },
      optimizers: [
        {
          ...{ name: 'lmd', rule: 'lmd', ...rates, noise: 0.025, priorMedianFloor: 0.5 },
          rest: { learningRate: 0.005, beta2: 0.99, weightDecay: 0 },
          schedule: schedule(steps),
          clipNorm: 1,
        },
      ],
      ...saved(steps),
      ...(prompt === undefined ? {} : { samples: { prompts: [prompt], maxTokens: 200 } }),
    },
  };
}

/** At least eight batches an epoch, and at most 64 examples in one. */
function batchOf(examples: number): number {
  return 2 ** Math.max(0, Math.min(6, Math.floor(Math.log2(Math.max(1, examples / 8)))));
}

function rounded(steps: number): number {
  return Math.round(steps / 50) * 50;
}

function schedule(steps: number) {
  return { kind: 'cosine', warmup: Math.round(steps / 20), final: 0.05 } as const;
}

/** Ten validations a run, each with a checkpoint. */
function saved(steps: number): Pick<ConfigurationInput, 'evaluation' | 'checkpoints'> {
  return { evaluation: { every: Math.ceil(steps / 10) }, checkpoints: { every: Math.ceil(steps / 10) } };
}
