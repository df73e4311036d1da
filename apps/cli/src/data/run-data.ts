import { imageExtensions, textExtensions } from '@lmd/data/node';
import { type Dataset, subset } from '@lmd/training';

/** The training, validation and test examples of a run. */
export interface RunData {
  readonly train: Dataset;
  readonly validation: Dataset;
  readonly test: Dataset;
  /** Images that could not be decoded and were skipped as configured, with the reasons. */
  readonly skipped?: readonly string[];
  /** Files and folders beside the data that are not used. */
  readonly unused?: readonly string[];
  /** Frees open files and threads. */
  close?(): Promise<void>;
}

const namedFiles = 5;

/** The warning about unused files, which says what is used. */
export function unusedFilesMessage(unused: readonly string[], data: 'images' | 'tokens' | 'examples'): string {
  const [what, verb] = unused.length === 1 ? ['file', 'is'] : ['files', 'are'];
  const rest = unused.length > namedFiles ? ` and ${(unused.length - namedFiles).toLocaleString('en-GB')} more` : '';
  const named = `${unused.slice(0, namedFiles).join(', ')}${rest}`;
  const count = unused.length.toLocaleString('en-GB');
  const used =
    data === 'tokens'
      ? `text files end in ${textExtensions.join(', ')}`
      : `images are in the class folders and end in ${imageExtensions.join(', ')}`;
  return `${count} ${what} ${verb} not used (${used}): ${named}`;
}

/** The first examples of a data set, or all of it. */
export function firstOf(dataset: Dataset, examples: number | undefined): Dataset {
  if (examples === undefined || examples >= dataset.size) return dataset;
  const indices = Int32Array.from({ length: examples }, (_, index) => index);
  return subset(dataset, indices, `${dataset.name}/first-${examples}`);
}
