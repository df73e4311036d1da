import { availableParallelism, cpus, platform, totalmem } from 'node:os';
import type { Data } from './data.js';
import { type OptimizerName, type Result, trainOnce } from './train.js';

export interface StudyOptions {
  readonly data: Data;
  readonly optimizers: readonly OptimizerName[];
  readonly precisions: readonly ('fp32' | 'mxfp6_e3m2')[];
  readonly steps: number;
  readonly batchSize: number;
  readonly seed: number;
  readonly onStep?: (run: string, step: number, loss: number) => void;
  readonly onResult?: (result: Result) => void;
}

/** Trains with every optimizer in every precision, from the same initial weights and on the same examples. */
export async function study({ optimizers, precisions, onStep, onResult, ...options }: StudyOptions): Promise<Result[]> {
  const results: Result[] = [];
  for (const precision of precisions) {
    for (const optimizer of optimizers) {
      const run = `${optimizer} ${precision}`;
      const result = await trainOnce({
        ...options,
        optimizer,
        precision,
        onStep: (step, loss) => onStep?.(run, step, loss),
      });
      results.push(result);
      onResult?.(result);
    }
  }
  return results;
}

/** The caption of a table of results. */
export function captionOf(options: {
  steps: number;
  batchSize: number;
  seed: number;
  engine: string;
  date: Date;
}): string {
  const { steps, batchSize, seed, engine, date } = options;
  const gibibytes = (totalmem() / 2 ** 30).toFixed(1);
  const machine = `${cpus()[0]?.model.trim() ?? 'unknown processor'}, ${availableParallelism()} cores, ${gibibytes} GiB, ${platform()}`;
  const time = `${date.toISOString().slice(0, 16).replace('T', ' ')} UTC`;
  return `${steps} steps of ${batchSize} images, seed ${seed}, ${time}, ${machine}, Node ${process.versions.node}, ${engine}. A single seed on one small task does not compare the optimizers.`;
}
