import { createHash } from 'node:crypto';
import type { Dirent } from 'node:fs';
import { mkdir, open, readdir, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { isLmdError } from '@lmd/core';
import { isSafetensorsError } from '@lmd/safetensors';
import { openSafetensorsFile, writeFileAtomic } from '@lmd/safetensors/node';
import type { Checkpoint, LoadedCheckpoint } from '../checkpoints/checkpoint.js';
import {
  corruptCheckpoint,
  decodeCheckpoint,
  encodeCheckpointParts,
  type Sha256,
} from '../checkpoints/checkpoint-format.js';
import { fileSystemError, hasCode, withFileErrors } from './file-errors.js';

const fileName = /^step-(\d{8,})\.safetensors$/;

const nodeSha256: Sha256 = (parts) => {
  const hash = createHash('sha256');
  for (const part of parts) {
    // A hash takes less than 2 GiB at once.
    for (let from = 0; from < part.length; from += 2 ** 30) hash.update(part.subarray(from, from + 2 ** 30));
  }
  return hash.digest('hex');
};

/** `<folder>/step-00000100.safetensors`. */
export function checkpointPath(folder: string, step: number): string {
  return join(folder, `step-${String(step).padStart(8, '0')}.safetensors`);
}

/** Writes a checkpoint whole or not at all, and gives its path. Makes the folder if it is missing. */
export async function writeCheckpoint(folder: string, checkpoint: Checkpoint): Promise<string> {
  await withFileErrors('make', folder, () => mkdir(folder, { recursive: true }));
  return writeCheckpointIn(folder, checkpoint);
}

/**
 * The same in a folder that is there, or whose parent is: a run's folder that was removed is not to come back without
 * the rest of it.
 */
export async function writeCheckpointIn(folder: string, checkpoint: Checkpoint): Promise<string> {
  const path = checkpointPath(folder, checkpoint.step);
  const parts = await encodeCheckpointParts(checkpoint, nodeSha256);
  await withFileErrors('write', path, async () => {
    await mkdir(folder).catch((error) => (hasCode(error, 'EEXIST') ? undefined : Promise.reject(error)));
    await writeFileAtomic(path, parts);
  });
  return path;
}

/**
 * Reads a checkpoint. Throws `CHECKPOINT_CORRUPT` for a file that is not, to the bit, what was written; `FILE_SYSTEM`.
 */
export async function readCheckpoint(path: string): Promise<Checkpoint> {
  return decodeCheckpoint(await readWhole(path), path, nodeSha256);
}

/** The header first, which says how long the file must be: of a damaged one, nothing more is read. */
async function readWhole(path: string): Promise<Uint8Array> {
  try {
    await (await openSafetensorsFile(path)).close();
    const bytes = await withFileErrors('read', path, () => readBytes(path));
    return bytes;
  } catch (cause) {
    if (isSafetensorsError(cause) && cause.code !== 'FILE_SYSTEM') throw corruptCheckpoint(path, cause.message, cause);
    throw fileSystemError('read', path, cause);
  }
}

/** `readFile` takes less than 2 GiB at once, and a state may be larger. */
async function readBytes(path: string): Promise<Uint8Array> {
  const file = await open(path);
  try {
    const bytes = new Uint8Array((await file.stat()).size);
    for (let from = 0; from < bytes.length; ) {
      const { bytesRead } = await file.read(bytes, from, Math.min(bytes.length - from, 2 ** 30), from);
      // Shorter than it was: its digest will say so.
      if (bytesRead === 0) return bytes.subarray(0, from);
      from += bytesRead;
    }
    return bytes;
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw corruptCheckpoint(path, 'it does not fit in memory', cause);
  } finally {
    await file.close();
  }
}

/**
 * The newest checkpoint of a folder that is whole; undefined where the folder has none, or is missing. Newer ones that
 * are corrupt are left where they are and named in `skipped`, of which the resumed run warns. What `writeCheckpoint`
 * would not have named so is no checkpoint, and folders are none.
 *
 * @throws LmdError `CHECKPOINT_CORRUPT` when there are checkpoints and none of them is whole.
 */
export async function latestCheckpoint(folder: string): Promise<LoadedCheckpoint | undefined> {
  const skipped: { path: string; reason: string }[] = [];
  let newest: unknown;
  for (const step of (await checkpointSteps(folder)).reverse()) {
    const path = checkpointPath(folder, step);
    try {
      return { checkpoint: await readCheckpoint(path), path, skipped };
    } catch (error) {
      // A link to nowhere, or removed meanwhile: not there, as far as anybody can tell.
      if (isLmdError(error, 'FILE_SYSTEM') && error.value === 'ENOENT') continue;
      if (!isLmdError(error, 'CHECKPOINT_CORRUPT')) throw error;
      newest ??= error;
      skipped.push({ path, reason: error.message });
    }
  }
  if (newest !== undefined) throw newest;
  return undefined;
}

/** Steps of the checkpoints in a folder, ascending; none where it is missing. */
export async function checkpointSteps(folder: string): Promise<number[]> {
  const entries = await listFolder(folder);
  return entries
    .flatMap((entry) => {
      const step = Number(fileName.exec(entry.name)?.[1] ?? Number.NaN);
      // More zeros or digits than we write are another program's.
      const isOurs = Number.isSafeInteger(step) && basename(checkpointPath(folder, step)) === entry.name;
      return isOurs && (entry.isFile() || entry.isSymbolicLink()) ? step : [];
    })
    .sort((a, b) => a - b);
}

/** Removes checkpoints of the given steps. */
export async function removeCheckpoints(folder: string, steps: readonly number[]): Promise<void> {
  for (const step of steps) {
    const path = checkpointPath(folder, step);
    await withFileErrors('remove', path, () => rm(path, { force: true }));
  }
}

async function listFolder(folder: string): Promise<Dirent[]> {
  return withFileErrors('list', folder, async () => {
    try {
      return await readdir(folder, { withFileTypes: true });
    } catch (error) {
      if (hasCode(error, 'ENOENT')) return [];
      throw error;
    }
  });
}
