import type { LedgerRecord } from './ledger/record.js';
import type { TrialConfiguration } from './trial.js';

/** Image size in the estimate. Only the ratio of two models matters, which hardly depends on it. */
const imageSide = 28;

type Sizes = Partial<Record<'width' | 'depth' | 'patchSize' | 'mlpWidth', number>>;

/** Multiply-adds of the model-dependent part of one example's forward pass: a measure of work, not of time. */
function workOfExample({ model, data }: Pick<TrialConfiguration, 'model' | 'data'>): number {
  const { width = 64, depth = 1, patchSize = 7, mlpWidth = 4 * width } = model as Sizes;
  const length = 'length' in data ? Number(data.length) : (imageSide / patchSize) ** 2;
  const tokens = Math.max(1, length);
  const products = tokens * (4 * width * width + 2 * width * mlpWidth);
  const attention = 2 * tokens * tokens * width;
  // Elementwise work (norms, GELU, rounding) costs about 60 multiply-adds per element.
  const elements = 60 * tokens * (8 * width + 2 * mlpWidth);
  return depth * (products + attention + elements);
}

/** Number of evaluated examples, as far as the configuration has it. */
function evaluated({ evaluation, data, steps }: TrialConfiguration): number {
  const validation = 'validation' in data && typeof data.validation === 'number' ? data.validation : 0;
  const passes = Math.max(1, Math.floor(steps / (evaluation?.every ?? steps)));
  const test = 'test' in data && typeof data.test === 'number' ? data.test : 10_000;
  const tests = evaluation?.test === false ? 0 : 1 + (evaluation?.formats?.length ?? 0);
  return passes * validation + (['tokens', 'text'].includes(String(data.kind)) ? 0 : tests * test);
}

/** The model and the data that are the unit of work. */
export type WorkUnit = Pick<TrialConfiguration, 'model' | 'data'>;

/** Steps in units of those of `unit`. An evaluated example counts as a third of a trained one. */
export function workOf(configuration: TrialConfiguration, unit: WorkUnit): number {
  const relative = workOfExample(configuration) / workOfExample(unit);
  const { steps, batchSize = 64, optimizers } = configuration;
  const samples = Number((optimizers[0] as { samples?: number }).samples ?? 1);
  return relative * (steps * samples + evaluated(configuration) / batchSize / 3);
}

/**
 * Seconds per unit of work, from the last trials on this machine; undefined if there are none yet.
 *
 * @param records of this process, in the order in which they ended.
 */
export function secondsPerWork(unit: WorkUnit, records: readonly LedgerRecord[]): number | undefined {
  const recent = records.slice(-8).filter(({ result }) => !result.diverged);
  const work = recent.reduce((sum, { configuration }) => sum + workOf(configuration, unit), 0);
  const seconds = recent.reduce((sum, record) => sum + record.seconds, 0);
  return work > 0 ? seconds / work : undefined;
}

/** `2 h 05 min`, `7 min`, `42 s`. */
export function showDuration(seconds: number): string {
  if (seconds < 90) return `${Math.round(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, '0')} min`;
}
