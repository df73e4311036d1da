import { parseArgs } from 'node:util';
import { type CreateProjectOptions, type ProjectKind, projectKinds } from './create-project.js';
import { CreateError } from './errors.js';

export const usage = `Usage: npm create @lmd <folder> -- --kind <${projectKinds.join(' | ')}>

Creates a folder with a project for @lmd whose tests pass:
  backend     wraps the reference backend, with one kernel of its own, and runs @lmd/conformance
  optimizer   momentum in one file, and runs optimizerConformance
  plugin      logs the loss of a training run`;

const refuse = (message: string, value?: unknown) =>
  new CreateError('INVALID_ARGUMENT', message, { value, remedy: `\n\n${usage}` });

/** What the command line asks for: a project, or only help. */
export function parseCommandLine(words: readonly string[]): CreateProjectOptions | 'help' {
  let parsed: ReturnType<typeof parse>;
  try {
    parsed = parse(words);
  } catch (error) {
    throw refuse(`${(error as Error).message}.`, words);
  }
  const { values, positionals } = parsed;
  if (values.help) return 'help';
  const [folder, ...more] = positionals;
  if (folder === undefined) throw refuse('The folder is missing.');
  if (more.length > 0) throw refuse(`There is more than one folder: ${positionals.join(', ')}.`, positionals);
  if (values.kind === undefined) throw refuse('--kind is missing.');
  return { folder, kind: values.kind as ProjectKind };
}

function parse(words: readonly string[]) {
  return parseArgs({
    args: [...words],
    options: { kind: { type: 'string' }, help: { type: 'boolean', short: 'h' } },
    allowPositionals: true,
  });
}
