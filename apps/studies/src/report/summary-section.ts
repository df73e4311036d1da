import { type Block, heading, list } from './blocks.js';
import { bytesPlot, hasBytes } from './bytes-section.js';
import { accuracies, type Evidence, optimizerTitle, pairedDifferences, select, subjectOf } from './evidence.js';
import { faultInterval, faultsPlot, faultTitle } from './faults-section.js';
import { formatsPlot } from './final-section.js';
import { decimal, formatTitle, percentInterval, signedPercentInterval } from './format.js';
import { confidenceInterval, verdict } from './statistics.js';
import { stabilityOf } from './sweep-section.js';

interface Ranked {
  readonly optimizer: string;
  readonly value: number;
  readonly shown: string;
}

function ranking(evidence: Evidence, entries: readonly (Ranked | undefined)[]): string | undefined {
  const found = entries.filter((entry) => entry !== undefined).sort((a, b) => b.value - a.value);
  // A ranking of only some optimizers could change with the missing trials.
  if (found.length < evidence.study.optimizers.length) return undefined;
  return found.map(({ optimizer, shown }) => `${optimizerTitle(evidence.study, optimizer)} ${shown}`).join(', ');
}

/** Optimizers by mean test accuracy in one format. */
function byAccuracy(evidence: Evidence, format: string): string | undefined {
  const ranked = ranking(
    evidence,
    evidence.study.optimizers.map(({ name }) => {
      const interval = confidenceInterval(accuracies(select(evidence, 'final', { optimizer: name, format })));
      return interval && { optimizer: name, value: interval.mean, shown: percentInterval(interval) };
    }),
  );
  return ranked && `Test accuracy in ${formatTitle(format)}, best first: ${ranked}.`;
}

/** Optimizers by the cost of one format. */
function byCost(evidence: Evidence, format: string): string | undefined {
  const reference = evidence.study.formats[0]!;
  const ranked = ranking(
    evidence,
    evidence.study.optimizers.map(({ name }) => {
      const differences = pairedDifferences(
        select(evidence, 'final', { optimizer: name, format }),
        select(evidence, 'final', { optimizer: name, format: reference }),
      );
      const interval = confidenceInterval(differences);
      return interval && { optimizer: name, value: interval.mean, shown: signedPercentInterval(interval) };
    }),
  );
  return (
    ranked &&
    `Cost of ${formatTitle(format)} relative to ${formatTitle(reference)}, smallest first: ${ranked} percentage points.`
  );
}

/** Optimizers by the width of their good range in one format. */
function byWidth(evidence: Evidence, format: string): string | undefined {
  if (evidence.study.sweep === undefined) return undefined;
  const ranked = ranking(
    evidence,
    evidence.study.optimizers.map(({ name }) => {
      const { range } = stabilityOf(evidence, name, format);
      return (
        range && {
          optimizer: name,
          value: range.octaves,
          shown: `${range.open ? '≥ ' : ''}${decimal(range.octaves, 1)}`,
        }
      );
    }),
  );
  return ranked && `Range of good learning rates in ${formatTitle(format)}, widest first, in octaves: ${ranked}.`;
}

/** Where the subject is significantly better, significantly worse, or neither. */
function againstOthers(evidence: Evidence): string[] {
  const { study } = evidence;
  const subject = subjectOf(study);
  const found = { higher: [] as string[], lower: [] as string[], 'not shown': [] as string[] };
  for (const { name } of study.optimizers) {
    if (name === subject) continue;
    for (const format of study.formats) {
      const difference = confidenceInterval(
        pairedDifferences(
          select(evidence, 'final', { optimizer: subject, format }),
          select(evidence, 'final', { optimizer: name, format }),
        ),
      );
      if (difference?.halfWidth === undefined) continue;
      found[verdict(difference)].push(
        `${optimizerTitle(study, name)} in ${formatTitle(format)} (${signedPercentInterval(difference)})`,
      );
    }
  }
  const title = optimizerTitle(study, subject);
  const line = (words: string, entries: readonly string[]) =>
    entries.length === 0 ? [] : [`${words} ${entries.join(', ')}.`];
  return [
    ...line(
      `${title} is significantly worse (95 % confidence interval excludes 0; percentage points of test accuracy) than`,
      found.lower,
    ),
    ...line(`${title} is significantly better than`, found.higher),
    ...line(`There is no significant difference between ${title} and`, found['not shown']),
  ];
}

/** Summarizes the tables in sentences with the same numbers. Missing results are omitted. */
export function summarySection(evidence: Evidence): Block[] {
  const [reference, ...others] = evidence.study.formats;
  const last = others.at(-1);
  const items = [
    ...againstOthers(evidence),
    ...[reference!, ...(last === undefined ? [] : [last])].map((format) => byAccuracy(evidence, format)),
    ...underFaults(evidence),
    ...others.map((format) => byCost(evidence, format)),
    ...evidence.study.formats.map((format) => byWidth(evidence, format)),
  ].filter((item) => item !== undefined);
  return items.length === 0 ? [] : [heading('Summary'), list(items), ...figure(evidence)];
}

/** The one plot that the page opens with, beside the report. */
function figure(evidence: Evidence): Block[] {
  const { formats, final } = evidence.study;
  if (select(evidence, 'final').length === 0) return [];
  if (hasBytes(evidence)) return [bytesPlot(evidence, formats[0]!, 'figure.svg')];
  if (final.faults !== undefined) return [faultsPlot(evidence, formats[0]!, final.faults[0]!.kind, 'figure.svg')];
  return formats.length > 1 ? [formatsPlot(evidence, 'figure.svg')] : [];
}

/** Optimizers by accuracy under the strongest fault of each kind, in the first format. */
function underFaults(evidence: Evidence): (string | undefined)[] {
  const { study } = evidence;
  const { faults = [] } = study.final;
  const strongest = new Map(faults.map((fault) => [fault.kind, fault]));
  return [...strongest.values()].map((fault) => {
    const ranked = ranking(
      evidence,
      study.optimizers.map(({ name }) => {
        const interval = faultInterval(evidence, name, study.formats[0]!, fault);
        return interval && { optimizer: name, value: interval.mean, shown: percentInterval(interval) };
      }),
    );
    return ranked && `Test accuracy with ${faultTitle(fault)}, best first: ${ranked}.`;
  });
}
