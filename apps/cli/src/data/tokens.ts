import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { LmdError } from '@lmd/core';
import { openTokenFile, parseTokenFileDescription, type TokenFileDescription } from '@lmd/data/node';
import { type Dataset, subset } from '@lmd/training';
import type { DataSource } from './source.js';

/** The description file of `train.bin`. Throws an `LmdError` if the folder has no prepared text. */
export function tokenDescription(folder: string): TokenFileDescription {
  const path = join(folder, 'train.bin.json');
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    throw new LmdError(
      'DATA_CORRUPT',
      `data.folder is ${folder}, which has no prepared text: ${path} cannot be read.`,
      {
        subject: 'data.folder',
        value: folder,
        remedy: `Prepare it with lmd data prepare <files> --out ${folder}`,
        cause,
      },
    );
  }
  return parseTokenFileDescription(text, path);
}

/** Of held-out text, the even examples are the validation set and the odd ones the test set. */
export function halves(heldOut: Dataset): { readonly validation: Dataset; readonly test: Dataset } {
  return { validation: half(heldOut, 'validation', 0), test: half(heldOut, 'test', 1) };
}

/** Every other window. Validation and test must not share windows. */
function half(dataset: Dataset, name: string, first: number): Dataset {
  const indices = Int32Array.from({ length: Math.floor((dataset.size - first + 1) / 2) }, (_, i) => first + 2 * i);
  return subset(dataset, indices, `${dataset.name}/${name}`);
}

/** Text. Of the documents held out, the even windows are the validation set and the odd ones the test set. */
export const tokens: DataSource<'tokens'> = {
  locate(configuration) {
    const folder = resolve(configuration.folder);
    tokenDescription(folder);
    return { ...configuration, folder };
  },
  geometry: ({ folder, length }) => ({
    kind: 'tokens',
    vocabularySize: tokenDescription(folder).vocabularySize,
    length,
  }),
  async load({ folder, length }) {
    const train = await openTokenFile(join(folder, 'train.bin'));
    const heldOut = await openTokenFile(join(folder, 'val.bin'));
    const windows = heldOut.dataset({ length });
    if (windows.size < 2) {
      throw new LmdError(
        'INVALID_ARGUMENT',
        `data.length is ${length}, but the held-out text in ${folder} has only ${windows.size} examples of that length.`,
        {
          subject: 'data.length',
          value: length,
          remedy: 'Validation and test need at least one each: use a smaller length, or hold out more text.',
        },
      );
    }
    return {
      train: train.dataset({ length }),
      ...halves(windows),
      async close() {
        await train.close();
        await heldOut.close();
      },
    };
  },
  describe({ folder }) {
    const { tokens, documents, tokenizer } = tokenDescription(folder);
    return `text from ${folder} (${documents.toLocaleString('en-GB')} documents, ${tokens.toLocaleString('en-GB')} tokens of ${tokenizer.name})`;
  },
  tokenizer: ({ folder }) => tokenDescription(folder).tokenizer,
};
