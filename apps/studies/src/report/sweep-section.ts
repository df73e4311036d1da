import { type Block, heading, percentAxis, plot, table, text } from './blocks.js';
import { type Evidence, optimizerTitle, select } from './evidence.js';
import { decimal, formatTitle } from './format.js';
import { goodRange } from './statistics.js';

/** Results of the sweep of one optimizer in one format. */
export interface Stability {
  readonly points: readonly { readonly factor: number; readonly accuracy: number }[];
  /** Undefined while trials are missing. */
  readonly range: ReturnType<typeof goodRange>;
  readonly best: { readonly factor: number; readonly accuracy: number } | undefined;
  readonly diverged: number;
  readonly spikes: number;
  readonly trials: number;
  readonly missing: number;
}

/** Mean accuracy by factor of the learning rate, with diverged runs as 0, and the resulting range. */
export function stabilityOf(evidence: Evidence, optimizer: string, format: string): Stability {
  const { factors, seeds, tolerance } = evidence.study.sweep!;
  const found = select(evidence, 'sweep', { optimizer, format });
  const points = factors.flatMap((factor) => {
    const accuracies = found
      .filter(({ trial }) => trial.variant === `×${factor}`)
      .map(({ result }) => (result.diverged ? 0 : result.accuracy!));
    if (accuracies.length === 0) return [];
    return [{ factor, accuracy: accuracies.reduce((sum, value) => sum + value, 0) / accuracies.length }];
  });
  const missing = factors.length * seeds.length - found.length;
  return {
    points,
    range: missing === 0 ? goodRange(points, tolerance) : undefined,
    best: points.length === 0 ? undefined : points.reduce((a, b) => (b.accuracy > a.accuracy ? b : a)),
    diverged: found.filter(({ result }) => result.diverged).length,
    spikes: found.reduce((sum, { result }) => sum + result.spikes, 0),
    trials: found.length,
    missing,
  };
}

/** Width of the range of good learning rates, and the number of divergences and loss spikes. */
export function sweepSection(evidence: Evidence): Block[] {
  const { study } = evidence;
  const { sweep } = study;
  if (sweep === undefined) return [];
  const title = heading('Stability: learning-rate sweep');
  if (select(evidence, 'sweep').length === 0) return [title, text('The ledger has no trials of the sweep yet.')];
  const formats = study.formats.filter((format) => select(evidence, 'sweep', { format }).length > 0);
  const matrix = (show: (stability: Stability) => string) =>
    table(
      ['optimizer', ...formats.map(formatTitle)],
      study.optimizers.map(({ name }) => [
        optimizerTitle(study, name),
        ...formats.map((format) => show(stabilityOf(evidence, name, format))),
      ]),
    );
  return [
    title,
    text(
      `Each optimizer in each format at ${sweep.factors.length} learning rates around that of its winner ` +
        `(factors ${sweep.factors.map((factor) => `×${factor}`).join(', ')}; the learning rate of AdamW for ` +
        `biases and gains is constant), ${sweep.steps} steps, seed ${sweep.seeds.join(', ')}, validation ` +
        'accuracy. A dash means that trials are missing.',
    ),
    text(
      'Width in octaves of the range of good learning rates: the longest sequence of neighbouring rates ' +
        `within ${100 * sweep.tolerance} percentage point of the best accuracy of the same optimizer and ` +
        'format, where each rate counts as the spacing of the grid. The range is in brackets; “≥” means that it ' +
        'reaches the end of the grid.',
    ),
    matrix(({ range }) =>
      range === undefined
        ? '–'
        : `${range.open ? '≥ ' : ''}${decimal(range.octaves, 1)} (×${range.from} … ×${range.to})`,
    ),
    text('Best accuracy in percent, and its factor:'),
    matrix(({ best }) => (best === undefined ? '–' : `${decimal(100 * best.accuracy, 2)} (×${best.factor})`)),
    text(
      'Divergences and loss spikes, over all rates. A trial diverged if a value was not finite or the final ' +
        'training loss was no better than a uniform guess. A spike is a batch whose loss exceeds the mean of ' +
        'the 50 previous losses by 5 standard deviations and by 0.2 nats.',
    ),
    matrix(({ diverged, spikes, trials, missing }) =>
      trials === 0
        ? '–'
        : `${diverged} diverged, ${spikes} ` +
          `${spikes === 1 ? 'spike' : 'spikes'}${missing === 0 ? '' : ` (${missing} missing)`}`,
    ),
    ...formats.map((format) =>
      plot(`Validation accuracy by learning rate, ${formatTitle(format)}`, {
        x: { title: "factor of the winner's learning rate", scale: 'log', ticksAtPoints: true },
        y: percentAxis('validation accuracy'),
        series: study.optimizers.map(({ name }) => ({
          name: optimizerTitle(study, name),
          markers: true,
          points: stabilityOf(evidence, name, format).points.map(({ factor, accuracy }) => ({
            x: factor,
            y: accuracy,
          })),
        })),
      }),
    ),
  ];
}
