import { type FaultConfiguration as Fault, faultName } from '@lmd/cli/experiment';
import { type Block, heading, percentAxis, plot, table, text } from './blocks.js';
import { type Evidence, optimizerTitle, select, subjectOf } from './evidence.js';
import { formatTitle, judged, percentInterval } from './format.js';
import { confidenceInterval } from './statistics.js';

const kinds = {
  logNormal: { title: 'log-normal', amount: 'σ' },
  additive: { title: 'additive', amount: 'σ' },
  stuckAtZero: { title: 'stuck at zero', amount: 'fraction of the weights' },
} as const;

/** How tables name a fault: `log-normal 0.6`. */
export const faultTitle = ({ kind, amount }: Fault): string => `${kinds[kind].title} ${amount}`;

/** Test accuracy of an optimizer in a format under a fault or without, by seed. */
function bySeed(evidence: Evidence, optimizer: string, format: string, fault: Fault | undefined): Map<number, number> {
  return new Map(
    select(evidence, 'final', { optimizer, format }).flatMap(({ trial, result }): [number, number][] => {
      const found = fault === undefined ? result : result.faulty?.[faultName(fault)];
      return typeof found?.accuracy === 'number' ? [[trial.seed, found.accuracy]] : [];
    }),
  );
}

/** Its mean over the seeds. */
export function faultInterval(evidence: Evidence, optimizer: string, format: string, fault: Fault | undefined) {
  return confidenceInterval([...bySeed(evidence, optimizer, format, fault).values()]);
}

/** The subject of the study compared with every other optimizer under each fault, paired by seed. */
function againstOthers(evidence: Evidence, format: string, faults: readonly Fault[]): Block[] {
  const { study } = evidence;
  const subject = subjectOf(study);
  const others = study.optimizers.filter(({ name }) => name !== subject);
  if (others.length === 0) return [];
  const title = optimizerTitle(study, subject);
  const difference = (other: string, fault: Fault) => {
    const theirs = bySeed(evidence, other, format, fault);
    const ours = [...bySeed(evidence, subject, format, fault)];
    return confidenceInterval(
      ours.flatMap(([seed, accuracy]) => (theirs.has(seed) ? [accuracy - theirs.get(seed)!] : [])),
    );
  };
  return [
    text(`Accuracy of ${title} relative to each other optimizer, in percentage points, paired by seed:`),
    table(
      [`${title} minus`, ...faults.map(faultTitle)],
      others.map(({ name }) => [
        optimizerTitle(study, name),
        ...faults.map((fault) => judged(difference(name, fault))),
      ]),
    ),
  ];
}

/** Test accuracy of every optimizer by the amount of one kind of fault. */
export function faultsPlot(evidence: Evidence, format: string, kind: Fault['kind'], file?: string): Block {
  const { study } = evidence;
  const faults = (study.final.faults ?? []).filter((fault) => fault.kind === kind);
  return plot(
    `Test accuracy in ${formatTitle(format)} with faults: ${kinds[kind].title}`,
    {
      x: { title: kinds[kind].amount, categories: ['0', ...faults.map(({ amount }) => String(amount))] },
      y: percentAxis('test accuracy'),
      series: study.optimizers.map(({ name }) => ({
        name: optimizerTitle(study, name),
        markers: true,
        points: [undefined, ...faults].flatMap((fault, x) => {
          const found = faultInterval(evidence, name, format, fault);
          return found === undefined ? [] : [{ x, y: found.mean, halfWidth: found.halfWidth }];
        }),
      })),
    },
    file,
  );
}

/** Test accuracy of the trained weights under each fault of their memory. */
export function faultsSection(evidence: Evidence): Block[] {
  const { study } = evidence;
  const { faults = [] } = study.final;
  if (faults.length === 0 || select(evidence, 'final').length === 0) return [];
  return [
    heading('On unreliable memory'),
    text(
      'Test accuracy of the trained weights in percent, when every matrix is changed as memory may change it: ' +
        'log-normal, times exp(σ·e − σ²/2) with e ~ N(0, 1), of mean 1; additive, plus σ·e times the root mean square ' +
        `of the matrix; stuck at zero, that fraction of the weights. Mean over ${faults[0]!.draws} draws and the ` +
        'seeds, ± half width of the 95 % confidence interval over the seeds.',
    ),
    ...study.formats.flatMap((format): Block[] => [
      text(`Trained and evaluated in ${formatTitle(format)}:`),
      table(
        ['optimizer', 'no fault', ...faults.map(faultTitle)],
        study.optimizers.map(({ name }) => [
          optimizerTitle(study, name),
          ...[undefined, ...faults].map((fault) => percentInterval(faultInterval(evidence, name, format, fault))),
        ]),
      ),
      ...againstOthers(evidence, format, faults),
      ...[...new Set(faults.map(({ kind }) => kind))].map((kind) => faultsPlot(evidence, format, kind)),
    ]),
  ];
}
