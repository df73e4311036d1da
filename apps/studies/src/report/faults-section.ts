import { type Block, heading, percentAxis, plot, table, text } from './blocks.js';
import { type Evidence, optimizerTitle, select } from './evidence.js';
import { formatTitle, percentInterval } from './format.js';
import { confidenceInterval } from './statistics.js';

const kinds = {
  logNormal: { title: 'log-normal', amount: 'σ' },
  additive: { title: 'additive', amount: 'σ' },
  stuckAtZero: { title: 'stuck at zero', amount: 'fraction' },
} as const;

/** Test accuracy of the trained weights under each fault of their memory. */
export function faultsSection(evidence: Evidence): Block[] {
  const { study } = evidence;
  const { faults = [] } = study.final;
  if (faults.length === 0 || select(evidence, 'final').length === 0) return [];
  const interval = (optimizer: string, format: string, fault: string) =>
    confidenceInterval(
      select(evidence, 'final', { optimizer, format }).flatMap(({ result }) => {
        const found = fault === 'none' ? result : result.faulty?.[fault];
        return typeof found?.accuracy === 'number' ? [found.accuracy] : [];
      }),
    );
  const nameOf = ({ kind, amount }: (typeof faults)[number]) => `${kind} ${amount}`;
  const present = [...new Set(faults.map(({ kind }) => kind))];
  return [
    heading('On unreliable memory'),
    text(
      'Test accuracy of the trained weights in percent, when every matrix is changed as memory may change it: ' +
        'log-normal, times exp(σ·e − σ²/2) with e ~ N(0, 1), of mean 1; additive, plus σ·e times the root mean square ' +
        `of the matrix; stuck at zero, that fraction of the weights. Mean over ${faults[0]?.draws ?? 4} draws and the ` +
        'seeds, ± half width of the 95 % confidence interval over the seeds.',
    ),
    ...study.formats.flatMap((format): Block[] => [
      text(`Trained and evaluated in ${formatTitle(format)}:`),
      table(
        ['optimizer', 'no fault', ...faults.map(({ kind, amount }) => `${kinds[kind].title} ${amount}`)],
        study.optimizers.map(({ name }) => [
          optimizerTitle(study, name),
          ...['none', ...faults.map(nameOf)].map((fault) => percentInterval(interval(name, format, fault))),
        ]),
      ),
      ...present.map((kind) => {
        const amounts = faults.filter((fault) => fault.kind === kind);
        return plot(`Test accuracy in ${formatTitle(format)} with ${kinds[kind].title} faults`, {
          x: { title: kinds[kind].amount, categories: ['0', ...amounts.map(({ amount }) => String(amount))] },
          y: percentAxis('test accuracy'),
          series: study.optimizers.map(({ name }) => ({
            name: optimizerTitle(study, name),
            markers: true,
            points: ['none', ...amounts.map(nameOf)].flatMap((fault, x) => {
              const found = interval(name, format, fault);
              return found === undefined ? [] : [{ x, y: found.mean, halfWidth: found.halfWidth }];
            }),
          })),
        });
      }),
    ]),
  ];
}
