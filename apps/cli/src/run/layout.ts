import { join } from 'node:path';

/** Paths of the files in a run folder. */
export function runLayout(folder: string) {
  return {
    configuration: join(folder, 'config.json'),
    metrics: join(folder, 'metrics.jsonl'),
    metricsCsv: join(folder, 'metrics.csv'),
    summary: join(folder, 'summary.json'),
    model: join(folder, 'model.safetensors'),
    report: join(folder, 'report.html'),
    trial: (optimizer: string) => trialLayout(join(folder, optimizer)),
  };
}

/** Paths of the files in the folder of one optimizer. */
export function trialLayout(folder: string) {
  return {
    folder,
    checkpoints: join(folder, 'checkpoints'),
    metrics: join(folder, 'metrics.jsonl'),
    metricsCsv: join(folder, 'metrics.csv'),
    model: join(folder, 'model.safetensors'),
    posterior: join(folder, 'posterior.json'),
    predictions: join(folder, 'predictions.json'),
    /** The name of the training among its workers, and the checkpoints of those that are threads. */
    job: join(folder, 'workers.json'),
    workers: join(folder, 'workers'),
    /** Written last: if it exists, the optimizer is done. */
    summary: join(folder, 'summary.json'),
  };
}
