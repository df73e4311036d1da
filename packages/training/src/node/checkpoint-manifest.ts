import { readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { writeFileAtomic } from '@lmd/safetensors/node';
import type { Checkpoint } from '../checkpoints/checkpoint.js';
import type { CheckpointEvent } from '../events.js';
import { fromJson, type Json, toJson } from '../json.js';
import { hasCode, withFileErrors } from './file-errors.js';

/** One checkpoint, as the manifest of its folder tells it to people and to other programs. */
export interface CheckpointEntry {
  readonly step: number;
  /** The safetensors file beside the manifest, which holds optimizer state, plugin state and configuration. */
  readonly file: string;
  readonly bytes: number;
  readonly reason: CheckpointEvent['reason'];
  /** Since the run began, in seconds. */
  readonly seconds: number;
  readonly loss?: number;
  /** The newest validation result then, and the step that it is of. */
  readonly validation?: { readonly step: number; readonly loss: number; readonly accuracy: number };
}

export interface CheckpointManifest {
  readonly format: 'lmd-checkpoints-v1';
  readonly model: string;
  readonly optimizer: string;
  /** What the run was configured with; see `TrainOptions.configuration`. */
  readonly identity: Json;
  readonly versions: Checkpoint['versions'];
  /** Those that are there, ascending by step. */
  readonly checkpoints: readonly CheckpointEntry[];
}

/** `<folder>/manifest.json`. */
export function manifestPath(folder: string): string {
  return join(folder, 'manifest.json');
}

/**
 * Writes the manifest anew, atomically, with one checkpoint more and without those whose step is not in `steps`. It
 * describes, and nothing depends on it: `latestCheckpoint` reads the files themselves, so one that is missing or out of
 * date harms no run.
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

/** The manifest of a folder of checkpoints; undefined where there is none, or none that can be read as one. */
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
