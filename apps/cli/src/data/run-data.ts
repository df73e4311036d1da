import { imageExtensions } from '@lmd/data/node';
import type { Dataset } from '@lmd/training';

/** The examples of a run, in their three parts. */
export interface RunData {
  readonly train: Dataset;
  readonly validation: Dataset;
  readonly test: Dataset;
  /** Images that did not decode and were asked to be left out, and why. */
  readonly skipped?: readonly string[];
  /** Files among the images that are none by their extension. */
  readonly unused?: readonly string[];
  /** Frees open files and threads. */
  close?(): Promise<void>;
}

const namedFiles = 5;

/** What is said, once, of files that are not used. */
export function unusedFilesMessage(unused: readonly string[]): string {
  const [what, verb] = unused.length === 1 ? ['file', 'is'] : ['files', 'are'];
  const rest = unused.length > namedFiles ? ` and ${(unused.length - namedFiles).toLocaleString('en-GB')} more` : '';
  const named = `${unused.slice(0, namedFiles).join(', ')}${rest}`;
  const count = unused.length.toLocaleString('en-GB');
  return `${count} ${what} in the classes' folders ${verb} not used (images end in ${imageExtensions.join(', ')}): ${named}`;
}
