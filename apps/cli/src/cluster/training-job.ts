import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { isDeepStrictEqual } from 'node:util';
import { LmdError } from '@lmd/core';
import type { Transport } from '@lmd/distributed';
import { writeFileAtomic } from '@lmd/safetensors/node';
import { latestCheckpoint } from '@lmd/training/node';
import { z } from 'zod';
import { readJsonFile } from '../configuration/load.js';
import { trialLayout } from '../run/layout.js';
import type { TrialOutcome, TrialRequest } from '../trial/request.js';
import { type CheckpointPlace, type RankRequest, storedCheckpoints } from './rank.js';

const jobSchema = z.strictObject({ run: z.string().regex(/^[\w-]+$/), generation: z.int().min(0) });

/** The name of a training among the workers, and how often it was started. */
export type JobName = z.output<typeof jobSchema>;

/** The name of the training in the folder of an optimizer, for one more start; new where it has none. */
export async function nextStart(folder: string): Promise<JobName> {
  const path = trialLayout(folder).job;
  const before = existsSync(path) ? jobSchema.parse(readJsonFile(path)) : undefined;
  const job =
    before === undefined ? { run: randomUUID(), generation: 0 } : { ...before, generation: before.generation + 1 };
  await mkdir(folder, { recursive: true });
  await writeFileAtomic(path, `${JSON.stringify(job)}\n`);
  return job;
}

/**
 * The step from which all workers start: with averaged gradients that of the newest checkpoint in the folder, which is
 * put into the store; otherwise that of the newest checkpoint that all workers have.
 *
 * @throws LmdError `CHECKPOINT_MISMATCH` if the folder has a checkpoint and the store none that all have
 */
export async function startOf(transport: Transport, job: JobName, request: TrialRequest): Promise<CheckpointPlace> {
  const distributed = request.configuration.distributed!;
  const checkpoints = storedCheckpoints(transport, job.run, distributed);
  const newest = await latestCheckpoint(trialLayout(request.folder).checkpoints);
  const { generation } = job;
  if (newest === undefined || newest.checkpoint.step === 0) return { generation, step: 0 };
  const { step } = newest.checkpoint;
  if (distributed.exchange === 'averages') {
    await checkpoints.put(0, { generation, step }, await readFile(newest.path!));
    return { generation, step };
  }
  let common = await checkpoints.list(0);
  for (let rank = 1; rank < distributed.workers; rank++) {
    const own = await checkpoints.list(rank);
    common = common.filter((one) => own.some((other) => isDeepStrictEqual(one, other)));
  }
  const start = common.at(-1);
  if (start !== undefined) return start;
  throw new LmdError(
    'CHECKPOINT_MISMATCH',
    `This run is at step ${step}, but there is no step of which all ${distributed.workers} workers have a checkpoint.`,
    {
      subject: 'distributed.workers',
      value: step,
      remedy: 'Each worker resumes its own momenta: use the server of the start, or start a new run.',
    },
  );
}

/** The part of one worker. */
export function rankOf(job: JobName, rank: number, { generation, step }: CheckpointPlace): RankRequest {
  return { ...job, rank, start: step, from: generation };
}

/** How a worker's training has ended, with an error or without. */
export function outcomeOf(
  running: Promise<TrialOutcome>,
): Promise<{ readonly outcome: TrialOutcome } | { readonly error: unknown }> {
  return running.then(
    (outcome) => ({ outcome }),
    (error: unknown) => ({ error }),
  );
}
