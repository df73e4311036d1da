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
    // A hash accepts less than 2 GiB at once.
    for (let from = 0; from < part.length; from += 2 ** 30) hash.update(part.subarray(from, from + 2 ** 30));
  }
  return hash.digest('hex');
};

/** `<folder>/step-00000100.safetensors`. */
export function checkpointPath(folder: string, step: number): string {
  return join(folder, `step-${String(step).padStart(8, '0')}.safetensors`);
}

/** Writes a checkpoint atomically and returns its path. Creates the folder if it is missing. */
export async function writeCheckpoint(folder: string, checkpoint: Checkpoint): Promise<string> {
  await withFileErrors('make', folder, () => mkdir(folder, { recursive: true }));
  return writeCheckpointIn(folder, checkpoint);
}

/**
 * The same in an existing folder, or one whose parent exists: a removed run folder must not be recreated without its
 * other files.
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
 * Reads a checkpoint. Throws `CHECKPOINT_CORRUPT` if any bit differs from what was written; `FILE_SYSTEM`.
 */
export async function readCheckpoint(path: string): Promise<Checkpoint> {
  return decodeCheckpoint(await readWhole(path), path, nodeSha256);
}

/** Reads the header first, which determines the length of the file. If it is damaged, nothing more is read. */
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

/** `readFile` reads less than 2 GiB at once, and a state may be larger. */
async function readBytes(path: string): Promise<Uint8Array> {
  const file = await open(path);
  try {
    const bytes = new Uint8Array((await file.stat()).size);
    for (let from = 0; from < bytes.length; ) {
      const { bytesRead } = await file.read(bytes, from, Math.min(bytes.length - from, 2 ** 30), from);
      // The file was truncated, which the digest check detects.
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
 * The newest intact checkpoint of a folder; undefined if the folder has none or is missing. Newer corrupt ones are kept
 * and listed in `skipped`; the resumed run warns about them. Only files with names as written by `writeCheckpoint` are
 * considered.
 *
 * @throws LmdError `CHECKPOINT_CORRUPT` if there are checkpoints but none is intact.
 */
export async function latestCheckpoint(folder: string): Promise<LoadedCheckpoint | undefined> {
  const skipped: { path: string; reason: string }[] = [];
  let newest: unknown;
  for (const step of (await checkpointSteps(folder)).reverse()) {
    const path = checkpointPath(folder, step);
    try {
      return { checkpoint: await readCheckpoint(path), path, skipped };
    } catch (error) {
      // A broken link, or removed in the meantime: treated as missing.
      if (isLmdError(error, 'FILE_SYSTEM') && error.value === 'ENOENT') continue;
      if (!isLmdError(error, 'CHECKPOINT_CORRUPT')) throw error;
      newest ??= error;
      skipped.push({ path, reason: error.message });
    }
  }
  if (newest !== undefined) throw newest;
  return undefined;
}

/** Steps of the checkpoints in a folder, ascending; empty if the folder is missing. */
export async function checkpointSteps(folder: string): Promise<number[]> {
  const entries = await listFolder(folder);
  return entries
    .flatMap((entry) => {
      const step = Number(fileName.exec(entry.name)?.[1] ?? Number.NaN);
      // Names with another number of digits are files of another program.
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
