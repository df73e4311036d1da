import { createHash } from 'node:crypto';
import { mkdir, open, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isLmdError } from '@lmd/core';
import { writeFileAtomic } from '@lmd/safetensors/node';
import type { Checkpoint, LoadedCheckpoint } from '../checkpoints/checkpoint.js';
import { decodeCheckpoint, encodeCheckpointParts, type Sha256 } from '../checkpoints/checkpoint-format.js';
import { hasCode, withFileErrors } from './file-errors.js';

const fileName = /^step-(\d{8,})\.safetensors$/;
const leftover = /^\.step-\d{8,}\.safetensors\.[0-9a-f]+\.tmp$/;

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
  const path = checkpointPath(folder, checkpoint.step);
  const parts = await encodeCheckpointParts(checkpoint, nodeSha256);
  await withFileErrors('write', path, async () => {
    await mkdir(folder, { recursive: true });
    await writeFileAtomic(path, parts);
  });
  return path;
}

/** `readFile` takes less than 2 GiB at once, and a state may be larger. */
async function readWhole(path: string): Promise<Uint8Array> {
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
  } finally {
    await file.close();
  }
}

/** Reads a checkpoint. Throws `CHECKPOINT_CORRUPT` for a file that is not, to the bit, what was written; `FILE_SYSTEM`. */
export async function readCheckpoint(path: string): Promise<Checkpoint> {
  const bytes = await withFileErrors('read', path, () => readWhole(path));
  return decodeCheckpoint(bytes, path, nodeSha256);
}

/**
 * The newest checkpoint of a folder that is whole; undefined where the folder has none, or is missing. Newer ones that are
 * corrupt are left where they are and named in `skipped`, of which the resumed run warns.
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
  const names = await listFolder(folder);
  return names
    .flatMap((name) => fileName.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => a - b);
}

/** Removes checkpoints of the given steps. */
export async function removeCheckpoints(folder: string, steps: readonly number[]): Promise<void> {
  for (const step of steps) {
    const path = checkpointPath(folder, step);
    await withFileErrors('remove', path, () => rm(path, { force: true }));
  }
}

/** Removes what a process left that was killed while it wrote. Only for the one process that writes to the folder. */
export async function removeLeftovers(folder: string): Promise<void> {
  for (const name of await listFolder(folder)) {
    if (!leftover.test(name)) continue;
    const path = join(folder, name);
    await withFileErrors('remove', path, () => rm(path, { force: true }));
  }
}

async function listFolder(folder: string): Promise<string[]> {
  return withFileErrors('list', folder, async () => {
    try {
      return await readdir(folder);
    } catch (error) {
      if (hasCode(error, 'ENOENT')) return [];
      throw error;
    }
  });
}
