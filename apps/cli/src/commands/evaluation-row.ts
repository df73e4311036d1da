import type { PredictionScores } from '@lmd/training';
import type { RunWeightsKind } from '../configuration/choices.js';
import { type Column, renderTable } from '../output/table.js';
import { count, decimal, percent } from '../output/units.js';

/** Bins of equal width, in which confidence and accuracy are compared. */
export const calibrationBins = 15;

/** Scores of the mean probabilities of some posterior samples. */
export interface AverageScores {
  readonly samples: number;
  readonly accuracy: number;
  /** Negative log-likelihood, in nats. */
  readonly loss: number;
  readonly brier: number;
  readonly calibrationError: number;
}

/** Detection of data of another distribution: areas under the ROC curve, 0.5 is chance. */
export interface DetectionScores {
  readonly data: string;
  /** By 1 − the largest probability. */
  readonly aurocByConfidence: number;
  /** By the entropy of the probabilities. */
  readonly aurocByEntropy: number;
}

/** The results of one optimizer in one format. */
export interface EvaluationRow {
  readonly optimizer: string;
  readonly format: string;
  readonly weights: RunWeightsKind;
  /** Number of posterior samples whose probabilities are averaged. */
  readonly samples: number;
  /** The step of the checkpoint; absent for a model file. */
  readonly step?: number;
  readonly testAccuracy: number;
  /** Negative log-likelihood, in nats. */
  readonly testLoss: number;
  /** exp(testLoss), of a language model. */
  readonly testPerplexity?: number;
  readonly brier: number;
  readonly calibrationError: number;
  readonly calibrationBins: number;
  /** Fitted on the validation data. */
  readonly temperature: number;
  /** Negative log-likelihood of the test set at this temperature. */
  readonly scaledLoss: number;
  /** Of 1, 2, 4, … samples, and of all of them. */
  readonly averages: readonly AverageScores[];
  readonly outOfDistribution?: DetectionScores;
  readonly seconds: number;
}

export function averageOf({ samples, accuracy, loss, brier, calibration }: PredictionScores): AverageScores {
  return { samples, accuracy, loss, brier, calibrationError: calibration.error };
}

const perplexity: Column<EvaluationRow> = {
  title: 'perplexity',
  align: 'right',
  cell: ({ testPerplexity }) => testPerplexity?.toPrecision(4) ?? '',
};

const nameColumns: readonly Column<Pick<EvaluationRow, 'optimizer' | 'format'>>[] = [
  { title: 'optimizer', cell: ({ optimizer }) => optimizer },
  { title: 'format', cell: ({ format }) => format },
];

const columnsOf = (rows: readonly EvaluationRow[]): readonly Column<EvaluationRow>[] => [
  ...nameColumns,
  { title: 'weights', cell: ({ weights, samples }) => (samples === 1 ? weights : `${count(samples)} samples`) },
  { title: 'step', align: 'right', cell: ({ step }) => (step === undefined ? '' : count(step)) },
  { title: 'test accuracy', align: 'right', cell: ({ testAccuracy }) => percent(testAccuracy) },
  { title: 'test loss', align: 'right', cell: ({ testLoss }) => testLoss.toFixed(4) },
  ...(rows.some(({ testPerplexity }) => testPerplexity !== undefined) ? [perplexity] : []),
  { title: 'Brier score', align: 'right', cell: ({ brier }) => brier.toFixed(4) },
  { title: 'calibration error', align: 'right', cell: ({ calibrationError }) => percent(calibrationError) },
  { title: 'temperature', align: 'right', cell: ({ temperature }) => decimal(temperature) },
  { title: 'scaled loss', align: 'right', cell: ({ scaledLoss }) => scaledLoss.toFixed(4) },
  { title: 'seconds', align: 'right', cell: ({ seconds }) => seconds.toFixed(1) },
];

type AverageRow = Pick<EvaluationRow, 'optimizer' | 'format'> & AverageScores;

const averageColumns: readonly Column<AverageRow>[] = [
  ...nameColumns,
  { title: 'samples', align: 'right', cell: ({ samples }) => count(samples) },
  { title: 'accuracy', align: 'right', cell: ({ accuracy }) => percent(accuracy) },
  { title: 'loss', align: 'right', cell: ({ loss }) => loss.toFixed(4) },
  { title: 'Brier score', align: 'right', cell: ({ brier }) => brier.toFixed(4) },
  { title: 'calibration error', align: 'right', cell: ({ calibrationError }) => percent(calibrationError) },
];

const detectionColumns: readonly Column<EvaluationRow>[] = [
  ...nameColumns,
  { title: 'against', cell: ({ outOfDistribution }) => outOfDistribution!.data },
  {
    title: 'AUROC, largest probability',
    align: 'right',
    cell: ({ outOfDistribution }) => outOfDistribution!.aurocByConfidence.toFixed(4),
  },
  {
    title: 'AUROC, entropy',
    align: 'right',
    cell: ({ outOfDistribution }) => outOfDistribution!.aurocByEntropy.toFixed(4),
  },
];

/** The tables of results, and what their columns mean. */
export function renderEvaluation(
  rows: readonly EvaluationRow[],
  styleTitle: (text: string) => string,
  columns: number | undefined,
): string[] {
  const options = { styleTitle, columns };
  const averages = rows.flatMap(({ optimizer, format, averages }) =>
    averages.map((average) => ({ optimizer, format, ...average })),
  );
  return [
    renderTable(columnsOf(rows), rows, options),
    ...(rows.some(({ samples }) => samples > 1) ? [renderTable(averageColumns, averages, options)] : []),
    ...(rows.some(({ outOfDistribution }) => outOfDistribution !== undefined)
      ? [renderTable(detectionColumns, rows, options)]
      : []),
    `Calibration error: expected calibration error in ${calibrationBins} bins of equal width. Temperature: fitted on ` +
      'the validation data; scaled loss: the test loss at this temperature.',
  ];
}
