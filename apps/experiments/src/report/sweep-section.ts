import { type Block, heading, plot, table, text } from './blocks.js';
import { type Evidence, ruleTitle, select } from './evidence.js';
import { decimal, formatTitle } from './format.js';
import { goodRange } from './statistics.js';

/** Mean accuracy by factor of the learning rate; a diverged run counts as 0. */
function pointsOf(evidence: Evidence, rule: string, format: string) {
  const { factors } = evidence.study.sweep!;
  return factors.flatMap((factor) => {
    const found = select(evidence, 'sweep', { rule, format, variant: `×${factor}` });
    if (found.length === 0) return [];
    const accuracies = found.map(({ result }) => (result.diverged ? 0 : result.accuracy!));
    return [{ factor, accuracy: accuracies.reduce((sum, value) => sum + value, 0) / accuracies.length }];
  });
}

/** How wide the range of good learning rates is, and how often training diverged or its loss jumped. */
export function sweepSection(evidence: Evidence): Block[] {
  const { study } = evidence;
  const { sweep } = study;
  if (sweep === undefined) return [];
  const title = heading('Stability: a sweep of the learning rate');
  if (select(evidence, 'sweep').length === 0) return [title, text('No trial of the sweep is in the ledger yet.')];
  const pairs = study.formats.flatMap((format) => study.rules.map(({ name }) => ({ format, name })));
  const rows = pairs.flatMap(({ format, name }) => {
    const points = pointsOf(evidence, name, format);
    if (points.length === 0) return [];
    const found = select(evidence, 'sweep', { rule: name, format });
    const range = points.length === sweep.factors.length ? goodRange(points, sweep.tolerance) : undefined;
    const best = points.reduce((a, b) => (b.accuracy > a.accuracy ? b : a));
    const missing = sweep.factors.length * sweep.seeds.length - found.length;
    return [
      [
        formatTitle(format),
        ruleTitle(study, name),
        decimal(100 * best.accuracy, 2),
        `×${best.factor}`,
        range === undefined ? '–' : `×${range.from} … ×${range.to}`,
        range === undefined ? '–' : `${range.open ? '≥ ' : ''}${decimal(range.octaves, 1)}`,
        String(found.filter(({ result }) => result.diverged).length),
        String(found.reduce((sum, { result }) => sum + result.spikes, 0)),
        missing === 0 ? '' : String(missing),
      ],
    ];
  });
  return [
    title,
    text(
      `Each rule in each format at ${sweep.factors.length} learning rates around its winner’s (factors ${sweep.factors.map((factor) => `×${factor}`).join(', ')}; AdamW for biases and gains keeps its own), ${sweep.steps} steps, seed ${sweep.seeds.join(', ')}, validation accuracy. The width is the longest run of neighbouring rates within ${100 * sweep.tolerance} point of the best of the same row, in octaves, each rate standing for the spacing of the grid; “≥” where the run reaches the end of the grid. A trial diverged where a value was not finite or the training loss ended no better than a uniform guess. A spike is a batch whose loss is 5 standard deviations of the 50 before it, and 0.2 nats, above their mean.`,
    ),
    table(['format', 'rule', 'best %', 'at', 'good rates', 'octaves', 'diverged', 'spikes', 'missing'], rows, 2),
    ...study.formats.flatMap((format) => {
      const series = study.rules.map(({ name }) => ({
        name: ruleTitle(study, name),
        points: pointsOf(evidence, name, format).map(({ factor, accuracy }) => ({ x: factor, y: accuracy })),
      }));
      if (series.every(({ points }) => points.length === 0)) return [];
      return [
        plot({
          title: `Validation accuracy by learning rate, ${formatTitle(format)}`,
          xTitle: "factor on the winner's learning rate",
          yTitle: 'validation accuracy',
          xScale: 'log',
          yPercent: true,
          series,
        }),
      ];
    }),
  ];
}
