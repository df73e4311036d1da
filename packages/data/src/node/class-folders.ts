import { readdirSync, statSync } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { LmdError, textOption } from '@lmd/core';
import { fileSystemError, withFileErrors } from '@lmd/training/node';
import { isHidden } from './hidden-files.js';
import { imageExtensions } from './image-format.js';

/** By code units, so that the order is the same on every system and in every language. */
function inOrder(names: readonly string[]): string[] {
  return names.filter((name) => !isHidden(name)).sort((a, b) => (a < b ? -1 : 1));
}

/**
 * The classes of an image folder, in the order of their labels: the names of its subfolders, sorted by code units,
 * including links to folders and excluding hidden ones (`.ipynb_checkpoints`, `__MACOSX`).
 *
 * @throws LmdError `FILE_SYSTEM`.
 */
export function classFolders(folder: string): string[] {
  textOption('classFolders', 'folder', folder);
  return namesIn(folder, true);
}

/**
 * The paths of the files directly in an image folder, which have no class, sorted by code units and without hidden
 * ones.
 *
 * @throws LmdError `FILE_SYSTEM`.
 */
export function looseFiles(folder: string): string[] {
  return namesIn(folder, false).map((name) => join(folder, name));
}

function namesIn(folder: string, areFolders: boolean): string[] {
  try {
    return inOrder(readdirSync(folder)).filter(
      // A broken link is not a folder.
      (name) => (statSync(join(folder, name), { throwIfNoEntry: false })?.isDirectory() === true) === areFolders,
    );
  } catch (error) {
    throw fileSystemError('list', folder, error);
  }
}

/** The images in a folder and in its subfolders, and the other files. */
export interface FolderImages {
  /** Paths, sorted folder by folder. */
  readonly images: readonly string[];
  /** Files without the extension of an image. Hidden files are not included. */
  readonly unused: readonly string[];
}

/**
 * Lists the images of a folder and of its subfolders, in the order of `openImageFolder`. Links are followed; hidden
 * files and folders are ignored.
 *
 * @throws LmdError `FILE_SYSTEM`; `DATA_CORRUPT` for folders that link to each other.
 */
export async function listImages(folder: string): Promise<FolderImages> {
  textOption('listImages', 'folder', folder);
  const unused: string[] = [];
  const files = await filesOf(folder, new Set(imageExtensions), unused);
  return { images: files.map(({ path }) => path), unused };
}

/** A file of a class. */
export interface FoundFile {
  readonly path: string;
  /** Path within the class folder, with `/` on every system. */
  readonly name: string;
  /** Bytes. */
  readonly size: number;
}

/**
 * The files of a folder and of the folders in it, sorted folder by folder. Links are followed, and hidden files and
 * folders are ignored, as in `classFolders`. Files with other extensions go to `unused`.
 *
 * @param extensions in lower case, with the dot.
 * @throws LmdError `FILE_SYSTEM`, also for an image that is a broken link; `DATA_CORRUPT` for folders that link to each
 * other.
 */
export async function filesOf(folder: string, extensions: ReadonlySet<string>, unused: string[]): Promise<FoundFile[]> {
  const files: FoundFile[] = [];
  const walk = async (from: string, prefix: string, above: readonly string[]): Promise<void> => {
    const real = await withFileErrors('list', from, () => realpath(from));
    if (above.includes(real)) {
      throw new LmdError('DATA_CORRUPT', `${from} links to a folder that contains it.`, {
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
  return new LmdError('DATA_CORRUPT', `${path} is not a regular file.`, {
    subject: path,
    remedy: 'Remove or rename it.',
  });
}
