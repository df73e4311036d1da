import { type Block, heading, plot, table, text } from './blocks.js';
import { accuracies, type Evidence, pairedDifferences, ruleTitle, select, subjectOf } from './evidence.js';
import { formatTitle, lossInterval, percentInterval, signedPercentInterval } from './format.js';
import { confidenceInterval, verdict } from './statistics.js';

/** Test accuracy and loss of every rule in every format, what a format costs, and who beats whom. */
export function finalSection(evidence: Evidence): Block[] {
  const { study } = evidence;
  if (select(evidence, 'final').length === 0) {
    return [heading('Trained in each format'), text('No final run is in the ledger yet.')];
  }
  const formatTitles = study.formats.map(formatTitle);
  const [reference] = study.formats;
  const interval = (rule: string, format: string) =>
    confidenceInterval(accuracies(select(evidence, 'final', { rule, format })));
  const accuracyRows = study.rules.map(({ name }) => [
    ruleTitle(study, name),
    ...study.formats.map((format) => withDiverged(evidence, name, format, percentInterval(interval(name, format)))),
  ]);
  const lossRows = study.rules.map(({ name }) => [
    ruleTitle(study, name),
    ...study.formats.map((format) => {
      const found = select(evidence, 'final', { rule: name, format });
      return lossInterval(
        confidenceInterval(found.flatMap(({ result }) => (result.loss === null ? [] : [result.loss]))),
      );
    }),
  ]);
  const trainingRows = study.rules.map(({ name }) => [
    ruleTitle(study, name),
    ...study.formats.map((format) => {
      const found = select(evidence, 'final', { rule: name, format });
      return lossInterval(
        confidenceInterval(found.flatMap(({ result }) => (result.trainingLoss === null ? [] : [result.trainingLoss]))),
      );
    }),
  ]);
  const costRows = study.rules.map(({ name }) => [
    ruleTitle(study, name),
    ...study.formats
      .slice(1)
      .map((format) =>
        signedPercentInterval(
          confidenceInterval(
            pairedDifferences(
              select(evidence, 'final', { rule: name, format }),
              select(evidence, 'final', { rule: name, format: reference! }),
            ),
          ),
        ),
      ),
  ]);
  const { seeds, steps } = study.final;
  return [
    heading('Trained in each format'),
    text(
      `Test accuracy in percent after ${steps} steps, mean ± half width of the 95 % confidence interval over seeds ${seeds.join(', ')} (Student’s t); a number without ± is one seed. The forward products run in the format, the backward ones in BF16.`,
    ),
    table(['rule', ...formatTitles], accuracyRows),
    text('Test loss, in nats:'),
    table(['rule', ...formatTitles], lossRows),
    text('Training loss over the last tenth of the steps, in nats:'),
    table(['rule', ...formatTitles], trainingRows),
    text(`What a format costs: accuracy against ${formatTitle(reference!)} of the same rule and seed, in points.`),
    table(['rule', ...formatTitles.slice(1)], costRows),
    plot({
      title: 'Test accuracy by format of the forward pass',
      xTitle: 'format',
      yTitle: 'test accuracy',
      xScale: 'linear',
      categories: formatTitles,
      yPercent: true,
      series: study.rules.map(({ name }) => ({
        name: ruleTitle(study, name),
        points: study.formats.flatMap((format, x) => {
          const found = interval(name, format);
          return found === undefined ? [] : [{ x, y: found.mean, halfWidth: found.halfWidth }];
        }),
      })),
    }),
    ...curvePlots(evidence),
    ...againstOthers(evidence),
  ];
}

function withDiverged(evidence: Evidence, rule: string, format: string, cell: string): string {
  const found = select(evidence, 'final', { rule, format });
  const diverged = found.filter(({ result }) => result.diverged).length;
  return diverged === 0 ? cell : `${cell} (${diverged} of ${found.length} diverged)`;
}

function curvePlots(evidence: Evidence): Block[] {
  const { study } = evidence;
  const seed = study.final.seeds[0]!;
  return [study.formats[0]!, study.formats.at(-1)!].map((format) =>
    plot({
      title: `Training loss in ${formatTitle(format)}, seed ${seed}`,
      xTitle: 'optimizer step',
      yTitle: 'cross-entropy (nats)',
      xScale: 'linear',
      yPercent: false,
      series: study.rules.map(({ name }) => ({
        name: ruleTitle(study, name),
        points: select(evidence, 'final', { rule: name, format, seed }).flatMap(({ result }) =>
          // The first stretch is that of warm-up, which would flatten the rest of the plot.
          result.curve.slice(1).map(([x, y]) => ({ x, y })),
        ),
      })),
    }),
  );
}

/** The rule that the study is about against every other one. */
function againstOthers(evidence: Evidence): Block[] {
  const { study } = evidence;
  const subject = subjectOf(study);
  const title = ruleTitle(study, subject);
  const words = { higher: 'wins', lower: 'loses', 'not shown': 'no difference shown' } as const;
  const others = study.rules.filter(({ name }) => name !== subject);
  if (others.length === 0) return [];
  const rows = others.map(({ name }) => [
    ruleTitle(study, name),
    ...study.formats.map((format) => {
      const difference = confidenceInterval(
        pairedDifferences(
          select(evidence, 'final', { rule: subject, format }),
          select(evidence, 'final', { rule: name, format }),
        ),
      );
      if (difference === undefined) return '–';
      const shown = signedPercentInterval(difference);
      return difference.halfWidth === undefined ? `${shown} (one seed)` : `${shown}: ${words[verdict(difference)]}`;
    }),
  ]);
  return [
    text(
      `${title} against each other rule, accuracy in points, paired by seed. “${title} wins” or “loses” stands only where the 95 % interval excludes 0; one seed shows nothing of the kind.`,
    ),
    table([`${title} minus`, ...study.formats.map(formatTitle)], rows),
  ];
}

/** Weights trained in the first format, evaluated in the others. */
export function deploySection(evidence: Evidence): Block[] {
  const { study } = evidence;
  const [reference, ...others] = study.formats;
  const found = (rule: string) => select(evidence, 'final', { rule, format: reference! });
  if (study.rules.every(({ name }) => found(name).length === 0)) return [];
  const rows = study.rules.map(({ name }) => [
    ruleTitle(study, name),
    percentInterval(confidenceInterval(accuracies(found(name)))),
    ...others.map((format) =>
      signedPercentInterval(
        confidenceInterval(
          found(name).flatMap(({ result }) => {
            const deployed = result.deployed[format];
            return deployed === undefined || result.accuracy === null ? [] : [deployed.accuracy - result.accuracy];
          }),
        ),
      ),
    ),
  ]);
  const title = formatTitle(reference!);
  return [
    heading(`Trained in ${title}, deployed in each format`),
    text(
      `Test accuracy of the weights trained in ${title}, in percent, and what evaluating them in another format changes, in points. Beside the table of costs above, it shows what training in the format is worth.`,
    ),
    table(['rule', title, ...others.map(formatTitle)], rows),
  ];
}
