import { isLmdError } from '@lmd/core';
import { InvalidArgumentError, Option } from 'commander';
import { type BackendChoice, backendSchema } from '../configuration/backend-schema.js';
import { locateBackend } from '../modules/locate.js';

/** `--backend`: a backend of the command, or a module relative to the working directory. */
export function backendOption(describe: string): Option {
  return new Option('--backend <name>', describe).argParser(backendOf);
}

function backendOf(text: string): BackendChoice {
  let located: unknown;
  try {
    located = locateBackend(text, process.cwd(), undefined);
  } catch (error) {
    if (!isLmdError(error)) throw error;
    throw new InvalidArgumentError(error.message);
  }
  const result = backendSchema.safeParse(located);
  if (result.success) return result.data;
  throw new InvalidArgumentError(`It ${result.error.issues[0]!.message}`);
}
