import type { RecordedResult } from '@lmd/cli/experiment';
import { type Block, heading, table, text } from './blocks.js';
import { type Evidence, optimizerTitle, select, subjectOf } from './evidence.js';
import { decimal, formatTitle } from './format.js';
import { meanSignal } from './product-measures.js';

interface Point {
  /** Mean training loss over the stretch of steps that ends at the measurement or next after it. */
  readonly loss: number;
  readonly signal: number;
}

/** Signal-to-noise ratio against training loss over a run. */
export function signalByLoss({ curve, measures }: RecordedResult, format: string): Point[] {
  return measures.flatMap((measured) => {
    const signal = meanSignal(measured, format);
    const loss = curve.find(([end]) => end >= measured.step)?.[1];
    return signal === undefined || loss === undefined ? [] : [{ loss, signal }];
  });
}

/** Linear interpolation where the run first passes a loss; undefined where it never does. */
export function signalAt(points: readonly Point[], loss: number): number | undefined {
  for (const [index, to] of points.entries()) {
    if (to.loss > loss) continue;
    const from = points[index - 1];
    if (from === undefined) return to.loss === loss ? to.signal : undefined;
    const share = (from.loss - loss) / (from.loss - to.loss);
    return from.signal + share * (to.signal - from.signal);
  }
  return undefined;
}

/** The noise of quantized products of networks that fit the training data equally well. */
export function signalSection(evidence: Evidence): Block[] {
  const { study } = evidence;
  const seed = study.final.seeds[0]!;
  const subject = subjectOf(study);
  const pointsOf = (name: string, format: string) => {
    const { result } = select(evidence, 'final', { optimizer: name, format, seed })[0] ?? {};
    return result === undefined || result.diverged ? [] : signalByLoss(result, format);
  };
  const tables = study.formats.slice(1).flatMap((format) => {
    const reference = pointsOf(subject, format);
    if (reference.length < 2) return [];
    const [first, last] = [reference[0]!.loss, Math.min(...reference.map(({ loss }) => loss))];
    const losses = [first, (first + last) / 2, last];
    const rows = study.optimizers.map(({ name }) => {
      const points = pointsOf(name, format);
      return [optimizerTitle(study, name), ...losses.map((loss) => decimal(signalAt(points, loss), 1))];
    });
    const titles = losses.map((loss) => `at ${decimal(loss, 3)} nats`);
    return [table([`optimizer, ${formatTitle(format)}`, ...titles], rows)];
  });
  if (tables.length === 0 || study.optimizers.length === 1) return [];
  return [
    heading('Signal-to-noise ratio at equal training loss'),
    text(
      `Seed ${seed}, in dB, mean over the products of activations and weights. Every run is read where its training ` +
        'loss (mean over a stretch of steps) passes that of the column, linearly between measurements. The columns are ' +
        `the training losses of ${optimizerTitle(study, subject)} at its first and last measurement, and midway. A ` +
        'dash: the run was not measured so early, or does not reach that loss.',
    ),
    ...tables,
  ];
}

/** Signal-to-noise ratio of the products at the end of each variant. */
export function governedSignal(evidence: Evidence): Block[] {
  const { governs } = evidence.study;
  if (governs === undefined || governs.measures === 0) return [];
  const formats = governs.formats.filter((format) => format !== 'fp32');
  const variants = ['unchanged', ...governs.variants.map(({ name }) => name)];
  const rows = variants.flatMap((variant) =>
    governs.optimizers.flatMap((optimizer) => {
      const last = (format: string) => {
        const { result } = select(evidence, 'governs', { optimizer, variant, format })[0] ?? {};
        return meanSignal(result?.measures.at(-1), format);
      };
      const cells = formats.map((format) => decimal(last(format), 1));
      return cells.every((cell) => cell === '–')
        ? []
        : [[variant, optimizerTitle(evidence.study, optimizer), ...cells]];
    }),
  );
  return rows.length === 0
    ? []
    : [
        text(`Signal-to-noise ratio of the quantized products at the end, seed ${governs.seeds[0]}, in dB:`),
        table(['variant', 'optimizer', ...formats.map(formatTitle)], rows, 2),
      ];
}
