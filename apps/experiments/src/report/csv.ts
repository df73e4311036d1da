import type { Evidence } from './evidence.js';

/**
 * A field of CSV (RFC 4180). Text that a spreadsheet would take for a formula begins with an apostrophe, which it then shows as
 * text; numbers stay numbers.
 */
function field(value: unknown): string {
  if (value === null || value === undefined) return '';
  const text = typeof value === 'string' && /^[=+\-@\t\r]/.test(value) ? `'${value}` : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
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
