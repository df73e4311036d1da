import { cp, mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CreateError, isCreateError } from './errors.js';

/** What a project can be made for, each with a template. */
export const projectKinds = ['backend', 'optimizer', 'plugin'] as const;
export type ProjectKind = (typeof projectKinds)[number];

export interface CreateProjectOptions {
  /** Path of the new folder. Its last part becomes the name of the package. */
  readonly folder: string;
  readonly kind: ProjectKind;
}

export interface CreatedProject {
  /** The absolute path. */
  readonly folder: string;
  readonly name: string;
  readonly files: readonly string[];
}

/** The folder of this package. Sources and build have the same depth. */
const home = fileURLToPath(new URL('../../', import.meta.url));

type Manifest = Readonly<Record<string, unknown>>;
type Ranges = Readonly<Record<string, string>>;

const readManifest = async (path: string) => JSON.parse(await readFile(path, 'utf8')) as Manifest;

/** The names of a manifest's dependencies with the ranges of `known`, instead of `*`. */
function withRanges(dependencies: unknown, known: Ranges): Ranges {
  return Object.fromEntries(
    Object.entries((dependencies ?? {}) as Ranges).map(([name, range]) => [name, known[name] ?? range]),
  );
}

/** An empty folder may be there already. */
async function checkFolder(folder: string): Promise<void> {
  let entries: string[];
  try {
    entries = await readdir(folder);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return;
    if (code !== 'ENOTDIR') throw error;
    throw new CreateError('FOLDER_EXISTS', `${folder} is a file.`, { value: folder, remedy: 'Choose another name.' });
  }
  if (entries.length === 0) return;
  throw new CreateError('FOLDER_EXISTS', `${folder} exists and is not empty.`, {
    value: folder,
    remedy: 'Choose another name, or remove the folder.',
  });
}

/**
 * Writes a project for a backend, an optimizer or a plugin, with tests, into a new folder. Its dependencies are of the
 * minor version that this version of the package was released with.
 *
 * @throws CreateError `UNKNOWN_KIND`, `NAME_INVALID` or `FOLDER_EXISTS`; then nothing has been written. `FILE_SYSTEM`
 *   with the reason.
 */
export async function createProject({ folder, kind }: CreateProjectOptions): Promise<CreatedProject> {
  if (!projectKinds.includes(kind)) {
    throw new CreateError('UNKNOWN_KIND', `kind is ${JSON.stringify(kind)}.`, {
      value: kind,
      remedy: `Use one of ${projectKinds.join(', ')}.`,
    });
  }
  const target = resolve(folder);
  const name = basename(target);
  // npm refuses the two names.
  if (!/^[a-z0-9][a-z0-9._-]{0,213}$/.test(name) || /^(node_modules|favicon\.ico)$/.test(name)) {
    throw new CreateError('NAME_INVALID', `The folder's name is ${JSON.stringify(name)}.`, {
      value: name,
      remedy: 'It is also the name of the npm package: use lower case letters, digits, "-", "_" and ".".',
    });
  }
  try {
    await checkFolder(target);
    await mkdir(target, { recursive: true });
    await cp(join(home, 'templates', kind), target, { recursive: true });
  } catch (error) {
    if (isCreateError(error)) throw error;
    throw new CreateError('FILE_SYSTEM', `${target} cannot be written: ${(error as Error).message}.`, {
      value: target,
      remedy: 'Choose a folder that you may write to.',
    });
  }
  // A .gitignore, and a package.json below the package's own, would mean something else to npm.
  await rename(join(target, 'gitignore'), join(target, '.gitignore'));
  const path = join(target, 'package.json');
  await rename(join(target, 'manifest.json'), path);
  // pnpm replaces the workspace's ranges there by versions when it packs.
  const { devDependencies } = await readManifest(join(home, 'package.json'));
  const manifest = await readManifest(path);
  const own = {
    ...manifest,
    name,
    dependencies: withRanges(manifest.dependencies, devDependencies as Ranges),
    devDependencies: withRanges(manifest.devDependencies, devDependencies as Ranges),
  };
  await writeFile(path, `${JSON.stringify(own, undefined, 2)}\n`);
  return { folder: target, name, files: (await readdir(target)).sort() };
}
