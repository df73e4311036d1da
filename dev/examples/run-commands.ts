import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './blocks.js';

export const lmdProgram = join(root, 'apps', 'cli', 'dist', 'bin.js');
const conformanceProgram = join(root, 'packages', 'conformance', 'dist', 'bin.js');
/** A Node program, since no install script of a dependency runs in this repository. */
const esbuildProgram = join(root, 'dev', 'node_modules', 'esbuild', 'bin', 'esbuild');

/** The commands of a block: lines without comments; a line that ends with a backslash continues. */
export function commandsOf(code: string): string[] {
  const lines = code.replace(/\\\n\s*/g, '').split('\n');
  return lines.map((line) => line.replace(/(?:^| +)#.*$/, '').trim()).filter((line) => line !== '');
}

/** The words of a command; quoted text is one word. */
export function wordsOf(command: string): string[] {
  return [...command.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map(
    ([, double, single, bare]) => double ?? single ?? bare!,
  );
}

/** The program of a script in the root's package.json; all are Node programs. */
function scriptOf(name: string): string[] {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>;
  };
  const [program, ...words] = wordsOf(scripts[name] ?? '');
  if (program !== 'node') throw new Error(`npm run ${name} is not a script that runs a Node program.`);
  return words;
}

/** The arguments of Node for a command, without a shell, so that it runs in the same way on every system. */
function nodeArguments(
  words: readonly string[],
  folder: string,
): { readonly args: string[]; readonly inRoot: boolean } {
  const [program, ...rest] = words;
  // A file of the page itself, or a program of the repository.
  if (program === 'node' && rest.some((word) => existsSync(join(folder, word)))) return { args: rest, inRoot: false };
  if (program === 'node') return { args: [join(root, rest[0]!), ...rest.slice(1)], inRoot: false };
  if (program === 'npm' && rest[0] === 'run') {
    const [script, ...given] = scriptOf(rest[1]!);
    return { args: [join(root, script!), ...given, ...rest.slice(2).filter((word) => word !== '--')], inRoot: true };
  }
  if (program === 'npx' && rest[0] === 'esbuild') return { args: [esbuildProgram, ...rest.slice(1)], inRoot: false };
  if (program === 'npx' && rest[0] === '@lmd/conformance') {
    return { args: [conformanceProgram, ...rest.slice(1)], inRoot: false };
  }
  throw new Error(
    `"${words.join(' ')}" cannot be run: only lmd, node, npm run, npx esbuild and npx @lmd/conformance are supported. ` +
      'Mark the block with <!-- skip: reason -->.',
  );
}

export interface Result {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `lmd` with these arguments in a folder. */
export type RunLmd = (words: readonly string[], folder: string) => Promise<Result>;

/** Runs `lmd` of a path, in a process of its own. */
export const lmdOf =
  (program: string): RunLmd =>
  async (words, folder) =>
    runNode([program, ...words], folder);

function runNode(args: readonly string[], cwd: string): Result {
  const options = { cwd, encoding: 'utf8', timeout: 240_000, maxBuffer: 2 ** 26 } as const;
  const { status, signal, stdout, stderr, error } = spawnSync(process.execPath, args, options);
  if (error !== undefined) throw error;
  if (signal !== null) throw new Error(`${args.join(' ')} ended with ${signal}:\n${stdout}${stderr}`);
  return { code: status, stdout, stderr };
}

/**
 * Runs a command without a shell: `lmd`, `node`, `npx esbuild` and `npx @lmd/conformance` in `folder`, `npm run` in
 * the repository. Output may go `> file`.
 *
 * @throws Error with the output if the exit code is not 0.
 */
export async function runCommand(command: string, folder: string, runLmd: RunLmd): Promise<void> {
  const words = wordsOf(command);
  const redirection = words.indexOf('>');
  const target = redirection < 0 ? undefined : words[redirection + 1];
  const { code, stdout, stderr } = await run(redirection < 0 ? words : words.slice(0, redirection), folder, runLmd);
  if (code !== 0) throw new Error(`"${command}" ended with ${code}:\n${stdout}${stderr}`);
  if (target !== undefined) writeFileSync(join(folder, target), stdout);
}

async function run(words: readonly string[], folder: string, runLmd: RunLmd): Promise<Result> {
  if (words[0] === 'lmd') return await runLmd(words.slice(1), folder);
  const { args, inRoot } = nodeArguments(words, folder);
  return runNode(args, inRoot ? root : folder);
}
