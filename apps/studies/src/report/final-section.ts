import type { Study } from '../study/schema.js';
import { type Block, heading, percentAxis, plot, table, text } from './blocks.js';
import { accuracies, type Evidence, optimizerTitle, pairedDifferences, select, subjectOf } from './evidence.js';
import {
  decimalInterval,
  formatTitle,
  judged,
  lossInterval,
  percentInterval,
  signedPercentInterval,
} from './format.js';
import { confidenceInterval } from './statistics.js';

/** Test accuracy and loss of every optimizer in every format, the cost of each format, and pairwise comparisons. */
export function finalSection(evidence: Evidence): Block[] {
  const { study } = evidence;
  if (select(evidence, 'final').length === 0) {
    return [heading('Trained in each format'), text('The ledger has no final runs yet.')];
  }
  const formatTitles = study.formats.map(formatTitle);
  const [reference] = study.formats;
  const interval = (optimizer: string, format: string) => accuracyInterval(evidence, optimizer, format);
  const accuracyRows = study.optimizers.map(({ name }) => [
    optimizerTitle(study, name),
    ...study.formats.map((format) => withDiverged(evidence, name, format, percentInterval(interval(name, format)))),
  ]);
  const lossRows = study.optimizers.map(({ name }) => [
    optimizerTitle(study, name),
    ...study.formats.map((format) => {
      const found = select(evidence, 'final', { optimizer: name, format });
      return lossInterval(
        confidenceInterval(found.flatMap(({ result }) => (result.loss === null ? [] : [result.loss]))),
      );
    }),
  ]);
  const trainingRows = study.optimizers.map(({ name }) => [
    optimizerTitle(study, name),
    ...study.formats.map((format) => {
      const found = select(evidence, 'final', { optimizer: name, format });
      return lossInterval(
        confidenceInterval(found.flatMap(({ result }) => (result.trainingLoss === null ? [] : [result.trainingLoss]))),
      );
    }),
  ]);
  const costRows = study.optimizers.map(({ name }) => [
    optimizerTitle(study, name),
    ...study.formats
      .slice(1)
      .map((format) =>
        signedPercentInterval(
          confidenceInterval(
            pairedDifferences(
              select(evidence, 'final', { optimizer: name, format }),
              select(evidence, 'final', { optimizer: name, format: reference! }),
            ),
          ),
        ),
      ),
  ]);
  const { seeds, steps } = study.final;
  return [
    heading('Trained in each format'),
    text(
      `Test accuracy in percent after ${steps} steps, mean ± half width of the 95 % confidence interval over ` +
        `seeds ${seeds.join(', ')} (Student’s t); a number without ± has a single seed. Forward products use ` +
        `the format of the column${backwardOf(study)}.`,
    ),
    table(['optimizer', ...formatTitles], accuracyRows),
    text('Test loss, in nats:'),
    table(['optimizer', ...formatTitles], lossRows),
    text('Training loss over the last tenth of the steps, in nats:'),
    table(['optimizer', ...formatTitles], trainingRows),
    ...weightNorms(evidence),
    ...(study.formats.length === 1
      ? []
      : [
          text(
            `Cost of a format: accuracy relative to ${formatTitle(reference!)} with the same optimizer and seed, in ` +
              'percentage points.',
          ),
          table(['optimizer', ...formatTitles.slice(1)], costRows),
        ]),
    ...curvePlots(evidence),
    ...againstOthers(evidence),
  ];
}

/** Norms of the trained weights; ledgers of earlier versions have none. */
function weightNorms(evidence: Evidence): Block[] {
  const { study } = evidence;
  const norms = (optimizer: string, format: string) =>
    select(evidence, 'final', { optimizer, format }).flatMap(({ result: { weightNorm } }) =>
      weightNorm === undefined ? [] : [weightNorm],
    );
  const all = study.optimizers.flatMap(({ name }) => study.formats.flatMap((format) => norms(name, format)));
  if (all.length === 0) return [];
  const rows = study.optimizers.map(({ name }) => [
    optimizerTitle(study, name),
    ...study.formats.map((format) => decimalInterval(confidenceInterval(norms(name, format)), 1)),
  ]);
  return [
    text('Euclidean norm of all weights after the last step:'),
    table(['optimizer', ...study.formats.map(formatTitle)], rows),
  ];
}

function accuracyInterval(evidence: Evidence, optimizer: string, format: string) {
  return confidenceInterval(accuracies(select(evidence, 'final', { optimizer, format })));
}

/** Test accuracy of every optimizer by format. */
export function formatsPlot(evidence: Evidence, file: string): Block {
  const { study } = evidence;
  return plot(
    'Test accuracy by format of the forward pass',
    {
      x: { title: 'format', categories: study.formats.map(formatTitle) },
      y: percentAxis('test accuracy'),
      series: study.optimizers.map(({ name }) => ({
        name: optimizerTitle(study, name),
        markers: true,
        points: study.formats.flatMap((format, x) => {
          const found = accuracyInterval(evidence, name, format);
          return found === undefined ? [] : [{ x, y: found.mean, halfWidth: found.halfWidth }];
        }),
      })),
    },
    file,
  );
}

/** The format of the backward products. */
function backwardOf({ configuration, sameBackward }: Study): string {
  if (sameBackward) return ', and so do backward products, with stochastic rounding of gradients in a block format';
  const { backward } = configuration;
  return typeof backward === 'string' ? `, backward products ${formatTitle(backward)}` : '';
}

function withDiverged(evidence: Evidence, optimizer: string, format: string, cell: string): string {
  const found = select(evidence, 'final', { optimizer, format });
  const diverged = found.filter(({ result }) => result.diverged).length;
  return diverged === 0 ? cell : `${cell} (${diverged} of ${found.length} diverged)`;
}

function curvePlots(evidence: Evidence): Block[] {
  const { study } = evidence;
  const seed = study.final.seeds[0]!;
  return [study.formats[0]!, study.formats.at(-1)!].map((format) =>
    plot(`Training loss in ${formatTitle(format)}, seed ${seed}`, {
      x: { title: 'optimizer step' },
      y: { title: 'cross-entropy (nats)' },
      series: study.optimizers.map(({ name }) => ({
        name: optimizerTitle(study, name),
        markers: true,
        points: select(evidence, 'final', { optimizer: name, format, seed }).flatMap(({ result }) =>
          // The first interval is the warm-up, whose high loss would flatten the rest of the plot.
          result.curve.slice(1).map(([x, y]) => ({ x, y })),
        ),
      })),
    }),
  );
}

/** The subject of the study compared with every other optimizer. */
function againstOthers(evidence: Evidence): Block[] {
  const { study } = evidence;
  const subject = subjectOf(study);
  const title = optimizerTitle(study, subject);
  const others = study.optimizers.filter(({ name }) => name !== subject);
  if (others.length === 0) return [];
  const rows = others.map(({ name }) => [
    optimizerTitle(study, name),
    ...study.formats.map((format) => {
      const difference = confidenceInterval(
        pairedDifferences(
          select(evidence, 'final', { optimizer: subject, format }),
          select(evidence, 'final', { optimizer: name, format }),
        ),
      );
      return judged(difference);
    }),
  ]);
  return [
    text(
      `Accuracy of ${title} relative to each other optimizer, in percentage points, paired by seed. “Better” ` +
        'and “worse” require a 95 % confidence interval that excludes 0, and therefore several seeds.',
    ),
    table([`${title} minus`, ...study.formats.map(formatTitle)], rows),
  ];
}

/** Weights trained in the first format, evaluated in the others. */
export function deploySection(evidence: Evidence): Block[] {
  const { study } = evidence;
  const [reference, ...others] = study.formats;
  if (others.length === 0) return [];
  const found = (optimizer: string) => select(evidence, 'final', { optimizer, format: reference! });
  if (study.optimizers.every(({ name }) => found(name).length === 0)) return [];
  const rows = study.optimizers.map(({ name }) => [
    optimizerTitle(study, name),
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
      `Test accuracy of the weights trained in ${title}, in percent, and the change when they are evaluated ` +
        'in another format, in percentage points. Comparison with the table of costs above shows the benefit of ' +
        'training in the format.',
    ),
    table(['optimizer', title, ...others.map(formatTitle)], rows),
  ];
}
