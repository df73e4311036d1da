import { readFileSync } from 'node:fs';
import { withoutByteOrderMark } from '@lmd/core';
import { UsageError } from '../errors.js';

export interface PromptOptions {
  readonly prompt?: readonly string[];
  readonly promptsFile?: string;
}

/** The prompts of `lmd generate`: those of the options, then those of the file; the beginning of a document if none. */
export function promptsOf({ prompt = [], promptsFile }: PromptOptions): readonly string[] {
  const prompts = [...prompt, ...(promptsFile === undefined ? [] : readPrompts(promptsFile))];
  return prompts.length === 0 ? [''] : prompts;
}

/** One prompt a line; in a file that ends in `.jsonl`, each a JSON text, or an object with `prompt`. */
function readPrompts(path: string): readonly string[] {
  const isJson = path.endsWith('.jsonl');
  let text: string;
  try {
    text = withoutByteOrderMark(readFileSync(path, 'utf8'));
  } catch (cause) {
    throw refused(path, 'cannot be read', 'Use the path of a text file or of a JSONL file.', cause);
  }
  const prompts = text.split(/\r?\n/).flatMap((line, index) => {
    if (line.trim() === '') return [];
    return [isJson ? promptOf(line, path, index + 1) : line];
  });
  if (prompts.length > 0) return prompts;
  throw refused(path, 'has no prompt', 'Write one prompt a line.');
}

function promptOf(line: string, path: string, number: number): string {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    // The error below says what is allowed.
  }
  const prompt = typeof value === 'object' && value !== null ? (value as { prompt?: unknown }).prompt : value;
  if (typeof prompt === 'string') return prompt;
  throw refused(
    `${path}:${number}`,
    'is no prompt in JSON',
    'Write "text" or { "prompt": "text" } in each line, or name the file otherwise than .jsonl for plain text.',
  );
}

function refused(place: string, problem: string, remedy: string, cause?: unknown): UsageError {
  return new UsageError('INVALID_ARGUMENT', `--prompts-file ${place} ${problem}.`, {
    subject: '--prompts-file',
    value: place,
    remedy,
    cause,
  });
}
