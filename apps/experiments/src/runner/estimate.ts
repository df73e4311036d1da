import type { LedgerRecord } from '../ledger/record.js';
import type { Study } from '../study/schema.js';
import type { TrialConfig } from '../trial/config.js';

/** Multiply-adds of one example's forward pass, the part that grows with the model: a measure of work, not of time. */
function workOfExample({
  model: { width, depth, patchSize, mlpWidth = 4 * width },
}: Pick<TrialConfig, 'model'>): number {
  const tokens = Math.max(1, (28 / patchSize) ** 2);
  const products = tokens * (4 * width * width + 2 * width * mlpWidth);
  const attention = 2 * tokens * tokens * width;
  // What goes through every element once (norms, GELU, rounding) costs about as much as 60 multiply-adds an element.
  const elements = 60 * tokens * (8 * width + 2 * mlpWidth);
  return depth * (products + attention + elements);
}

/** Steps in units of the study's own model, evaluations included at a third of a step's work an example. */
export function workOf(config: TrialConfig, study: Study): number {
  const relative = workOfExample(config) / workOfExample({ model: study.model });
  const { batchSize, steps, samples } = { ...config, samples: Number(config.options.samples ?? 1) };
  const validation = config.data.validation / batchSize / 3;
  const test = config.data.kind === 'synthetic' ? config.data.test : 10_000;
  const passes = config.evaluateEvery === undefined ? 1 : Math.floor(steps / config.evaluateEvery);
  const tests = config.split === 'test' ? (1 + config.deploy.length) * (test / batchSize / 3) : 0;
  return relative * (steps * samples + passes * validation + tests);
}

/**
 * Seconds that a unit of work takes, as the last trials took on this machine; before there are any, what the study says.
 *
 * @param records of this process's own run, in the order in which they ended.
 */
export function secondsPerWork(study: Study, records: readonly LedgerRecord[]): number {
  const recent = records.slice(-8);
  const work = recent.reduce((sum, { config, result }) => sum + (result.diverged ? 0 : workOf(config, study)), 0);
  const seconds = recent.reduce((sum, record) => sum + (record.result.diverged ? 0 : record.seconds), 0);
  return work > 0 ? seconds / work : study.budget.secondsPerStep;
}

/** `2 h 05 min`, `7 min`, `42 s`. */
export function showDuration(seconds: number): string {
  if (seconds < 90) return `${Math.round(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, '0')} min`;
}
