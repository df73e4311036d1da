import {
  averageGradientsOptionTable,
  averageWeightsOptionTable,
  voteSignsOptionTable,
  workerOptionTable,
} from '@lmd/distributed';
import { z } from 'zod';
import { mostWorkers } from './limits.js';
import { optionShape } from './option-schema.js';

const { timeoutMs, compareEvery } = workerOptionTable;
const { format, bucketBytes } = averageGradientsOptionTable;
const { localSteps } = averageWeightsOptionTable;
const { zeros, quorum, deadlineMs } = voteSignsOptionTable;

const shared = {
  workers: z
    .int()
    .min(1)
    .max(mostWorkers)
    .default(1)
    .describe(
      'Number of workers, which `--workers` and `--world` change. `batchSize` is that of all together, and a multiple ' +
        'of it.',
    ),
  ...optionShape({ timeoutMs, compareEvery }),
  retainedRounds: z
    .int()
    .min(1)
    .optional()
    .describe(
      'Number of newest steps whose messages the server keeps, for a worker that replaces another; default: twice ' +
        '`checkpoints.every`, and two.',
    ),
};

const averagesSchema = z.strictObject({
  exchange: z.literal('averages').describe('Workers average gradients, for any optimizer.'),
  ...shared,
  ...optionShape({ format, bucketBytes }),
});

const weightsSchema = z.strictObject({
  exchange: z.literal('weights').describe('Workers take steps on their own, and average weights or log medians.'),
  ...shared,
  ...optionShape({ localSteps, bucketBytes }),
});

const votesSchema = z.strictObject({
  exchange: z.literal('votes').describe('Workers vote on signs, for `lmd`, `lion` and `signum`.'),
  ...shared,
  ...optionShape({ zeros, quorum, deadlineMs }),
});

export const distributedSchema = z
  .discriminatedUnion('exchange', [averagesSchema, votesSchema, weightsSchema])
  .optional()
  .describe(
    'Trains with several workers: threads of this machine, or `lmd worker` on others with `--workers nats://…`; ' +
      'default: one process.',
  );

export type DistributedConfiguration = NonNullable<z.output<typeof distributedSchema>>;
