import { readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { writeFileAtomic } from '@lmd/safetensors/node';
import type { Checkpoint } from '../checkpoints/checkpoint.js';
import type { CheckpointEvent } from '../events.js';
import { fromJson, type Json, toJson } from '../json.js';
import { hasCode, withFileErrors } from './file-errors.js';

/** One checkpoint in the manifest of its folder, for people and other programs. */
export interface CheckpointEntry {
  readonly step: number;
  /** Name of the safetensors file in the same folder, with optimizer state, plugin state and configuration. */
  readonly file: string;
  readonly bytes: number;
  readonly reason: CheckpointEvent['reason'];
  /** Time since the start of the run, in seconds. */
  readonly seconds: number;
  readonly loss?: number;
  /** The newest validation result at that time, and its step. */
  readonly validation?: { readonly step: number; readonly loss: number; readonly accuracy: number };
}

export interface CheckpointManifest {
  readonly format: 'lmd-checkpoints-v1';
  readonly model: string;
  readonly optimizer: string;
  /** Configuration of the run; see `TrainOptions.configuration`. */
  readonly identity: Json;
  readonly versions: Checkpoint['versions'];
  /** The existing checkpoints, ascending by step. */
  readonly checkpoints: readonly CheckpointEntry[];
}

/** `<folder>/manifest.json`. */
function manifestPath(folder: string): string {
  return join(folder, 'manifest.json');
}

/**
 * Rewrites the manifest atomically, adding one checkpoint and removing those whose step is not in `steps`. The manifest
 * is only informational: `latestCheckpoint` reads the files themselves, so a missing or outdated manifest does not
 * affect runs.
 */
export async function updateManifest(
  folder: string,
  checkpoint: Checkpoint,
  added: { readonly path: string; readonly reason: CheckpointEvent['reason'] },
  steps: readonly number[],
): Promise<void> {
  const { step, seconds, lastLoss, lastValidation, identity, versions } = checkpoint;
  const { size } = await withFileErrors('read', added.path, () => stat(added.path));
  const entry: CheckpointEntry = {
    step,
    file: basename(added.path),
    bytes: size,
    reason: added.reason,
    seconds,
    ...(lastLoss === undefined ? {} : { loss: lastLoss }),
    ...(lastValidation === undefined
      ? {}
      : {
          validation: { step: lastValidation.step, loss: lastValidation.loss, accuracy: lastValidation.accuracy },
        }),
  };
  const others = (await readManifest(folder))?.checkpoints ?? [];
  const manifest: CheckpointManifest = {
    format: 'lmd-checkpoints-v1',
    model: String(identity.model),
    optimizer: String(identity.optimizer),
    identity,
    versions,
    checkpoints: [...others.filter((one) => one.step !== step && steps.includes(one.step)), entry].sort(
      (a, b) => a.step - b.step,
    ),
  };
  const path = manifestPath(folder);
  await withFileErrors('write', path, () => writeFileAtomic(path, `${toJson(manifest, 2)}\n`));
}

/** The manifest of a folder of checkpoints; undefined if it is missing or invalid. */
export async function readManifest(folder: string): Promise<CheckpointManifest | undefined> {
  const path = manifestPath(folder);
  const text = await withFileErrors('read', path, async () => {
    try {
      return await readFile(path, 'utf8');
    } catch (error) {
      if (hasCode(error, 'ENOENT') || hasCode(error, 'EISDIR')) return undefined;
      throw error;
    }
  });
  if (text === undefined) return undefined;
  try {
    const manifest = fromJson(text) as CheckpointManifest | null;
    return manifest?.format === 'lmd-checkpoints-v1' && Array.isArray(manifest.checkpoints)
      ? { ...manifest, checkpoints: manifest.checkpoints.filter((entry) => Number.isSafeInteger(entry?.step)) }
      : undefined;
  } catch {
    return undefined;
  }
}
