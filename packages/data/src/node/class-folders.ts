import { readdirSync, statSync } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { LmdError, textOption } from '@lmd/core';
import { fileSystemError, withFileErrors } from '@lmd/training/node';
import { isHidden } from './hidden-files.js';

/** By code units, so that the order is the same on every system and in every language. */
function inOrder(names: readonly string[]): string[] {
  return names.filter((name) => !isHidden(name)).sort((a, b) => (a < b ? -1 : 1));
}

/**
 * The classes of a folder of pictures, in the order of their labels: the names of its folders, sorted by code units.
 * Links to folders count as folders. Hidden ones (`.ipynb_checkpoints`, `__MACOSX`) do not count.
 *
 * @throws LmdError `FILE_SYSTEM`.
 */
export function classFolders(folder: string): string[] {
  textOption('classFolders', 'folder', folder);
  try {
    return inOrder(readdirSync(folder)).filter(
      // A link that leads nowhere is no folder.
      (name) => statSync(join(folder, name), { throwIfNoEntry: false })?.isDirectory() === true,
    );
  } catch (error) {
    throw fileSystemError('list', folder, error);
  }
}

/** A file of a class. */
export interface FoundFile {
  readonly path: string;
  /** Within the class's folder, with `/` on every system. */
  readonly name: string;
  /** Bytes. */
  readonly size: number;
}

/**
 * The files of a folder and of the folders in it, sorted folder by folder. Links are followed, and hidden files and
 * folders left out, as in `classFolders`. What has another extension goes to `unused`.
 *
 * @param extensions in lower case, with the dot.
 * @throws LmdError `FILE_SYSTEM`, also for a picture that is a link to nothing; `DATA_CORRUPT` for folders that link to
 *   each other.
 */
export async function filesOf(folder: string, extensions: ReadonlySet<string>, unused: string[]): Promise<FoundFile[]> {
  const files: FoundFile[] = [];
  const walk = async (from: string, prefix: string, above: readonly string[]): Promise<void> => {
    const real = await withFileErrors('list', from, () => realpath(from));
    if (above.includes(real)) {
      throw new LmdError('DATA_CORRUPT', `${from} links to a folder that it is in.`, {
        subject: from,
        value: real,
        remedy: 'Remove the link.',
      });
    }
    const names = inOrder(await withFileErrors('list', from, () => readdir(from)));
    const kinds = await Promise.all(names.map((name) => kindOf(join(from, name))));
    for (const [position, name] of names.entries()) {
      const path = join(from, name);
      const kind = kinds[position]!;
      const isPicture = extensions.has(extname(name).toLowerCase());
      if (kind.isFolder) await walk(path, `${prefix}${name}/`, [...above, real]);
      else if (!isPicture) unused.push(path);
      else if (kind.isFile) files.push({ path, name: prefix + name, size: kind.size });
      else throw kind.error ?? notAFile(path);
    }
  };
  await walk(folder, '', []);
  return files;
}

interface Kind {
  readonly isFolder: boolean;
  readonly isFile: boolean;
  readonly size: number;
  readonly error?: unknown;
}

async function kindOf(path: string): Promise<Kind> {
  try {
    const found = await stat(path);
    return { isFolder: found.isDirectory(), isFile: found.isFile(), size: found.size };
  } catch (error) {
    return { isFolder: false, isFile: false, size: 0, error: fileSystemError('read', path, error) };
  }
}

function notAFile(path: string): LmdError {
  return new LmdError('DATA_CORRUPT', `${path} is no regular file.`, { subject: path, remedy: 'Remove or rename it.' });
}
