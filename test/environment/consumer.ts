import { execFile } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll } from 'vitest';

export const root = fileURLToPath(new URL('../..', import.meta.url));

interface Manifest {
  readonly name: string;
  readonly private?: boolean;
  readonly exports: Readonly<Record<string, { readonly types: string; readonly default: string } | string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

function packageIn(folder: string): { readonly folder: string; readonly manifest: Manifest } {
  return { folder, manifest: JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest };
}

const libraries = readdirSync(join(root, 'packages'))
  .map((name) => packageIn(join(root, 'packages', name)))
  // `npm create` is a program.
  .filter(({ manifest }) => manifest.private !== true && manifest.name !== '@lmd/create');
const command = packageIn(join(root, 'apps', 'cli'));

const entriesOf = ({ manifest }: { readonly manifest: Manifest }) =>
  Object.entries(manifest.exports)
    .filter(([, target]) => typeof target !== 'string')
    .map(([subpath]) => manifest.name + subpath.slice(1));

/** Every public entry of every library, as a program imports it. */
export const libraryEntries: readonly string[] = libraries.flatMap(entriesOf);

/** Those, and the command's. */
export const entries: readonly string[] = [...libraryEntries, ...entriesOf(command)];

/** Entries that a browser can use. */
export const browserEntries = libraryEntries.filter((entry) => !entry.endsWith('/node'));

/**
 * A project in a new folder whose `node_modules` holds the built packages as copies, as an installation would, and
 * links to what they depend on. Removed after the file's tests.
 *
 * @param folderName a part of its path
 */
export function consumerProject(folderName = 'project'): string {
  const work = realpathSync(mkdtempSync(join(tmpdir(), 'lmd-environment-')));
  afterAll(() => rmSync(work, { recursive: true, force: true }));
  const project = join(work, folderName);
  const modules = join(project, 'node_modules');
  for (const { folder, manifest } of [...libraries, command]) {
    const installed = join(modules, ...manifest.name.split('/'));
    mkdirSync(installed, { recursive: true });
    cpSync(join(folder, 'package.json'), join(installed, 'package.json'));
    cpSync(join(folder, 'dist'), join(installed, 'dist'), { recursive: true });
    for (const dependency of Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies })) {
      const source = join(folder, 'node_modules', ...dependency.split('/'));
      const link = join(modules, ...dependency.split('/'));
      if (dependency.startsWith('@lmd/') || existsSync(link) || !existsSync(source)) continue;
      mkdirSync(dirname(link), { recursive: true });
      symlinkSync(realpathSync(source), link, 'junction');
    }
  }
  writeFileSync(join(project, 'package.json'), JSON.stringify({ name: 'consumer', private: true }));
  return project;
}

export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The program `lmd` of a project. */
export function lmdOf(project: string): string {
  return join(project, 'node_modules', '@lmd', 'cli', 'dist', 'bin.js');
}

/** Runs this Node with arguments in a folder. Never throws for an exit code. */
export async function runNode(args: readonly string[], cwd: string, env: NodeJS.ProcessEnv = {}): Promise<Outcome> {
  // Without what the test runner sets for its own processes.
  const { NODE_OPTIONS: _options, VITEST: _vitest, ...own } = process.env;
  try {
    const options = { cwd, env: { ...own, ...env }, timeout: 60_000, maxBuffer: 2 ** 26 };
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [...args], options);
    return { code: 0, stdout, stderr };
  } catch (error) {
    const { code, stdout = '', stderr = '' } = error as { code?: number; stdout?: string; stderr?: string };
    return { code: typeof code === 'number' ? code : -1, stdout, stderr };
  }
}
