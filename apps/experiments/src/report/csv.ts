import type { Evidence } from './evidence.js';

function field(value: unknown): string {
  const text = value === null || value === undefined ? '' : String(value);
  return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

const columns = [
  'part',
  'rule',
  'variant',
  'format',
  'seed',
  'steps',
  'width',
  'depth',
  'options',
  'split',
  'accuracy',
  'loss',
  'training_loss',
  'diverged',
  'spikes',
  'hash',
] as const;

/** Every finished trial of every part, one a line. Numbers are as the ledger has them. */
export function renderCsv({ findings }: Evidence): string {
  const rows = findings.flatMap(({ trial, result }) => {
    if (result === undefined) return [];
    const { config } = trial;
    return [
      [
        trial.part,
        trial.rule,
        trial.variant,
        config.format,
        config.seed,
        config.steps,
        config.model.width,
        config.model.depth,
        JSON.stringify(config.options),
        config.split,
        result.accuracy,
        result.loss,
        result.trainingLoss,
        result.diverged,
        result.spikes,
        trial.hash,
      ],
    ];
  });
  return `${[columns, ...rows].map((row) => row.map(field).join(',')).join('\n')}\n`;
}
