import { type Block, heading, percentAxis, plot, table, text } from './blocks.js';
import { accuracies, type Evidence, optimizerTitle, select } from './evidence.js';
import { formatTitle, percentInterval } from './format.js';
import { confidenceInterval } from './statistics.js';

function rowsOf(evidence: Evidence) {
  const { study } = evidence;
  return study.optimizers
    .flatMap(({ name, bytesPerWeight: bytes }) => (bytes === undefined ? [] : [{ name, bytes }]))
    .sort((a, b) => a.bytes - b.bytes)
    .map(({ name, bytes }) => ({
      bytes,
      title: optimizerTitle(study, name),
      accuracy: (format: string) =>
        confidenceInterval(accuracies(select(evidence, 'final', { optimizer: name, format }))),
    }));
}

/** Test accuracy by bytes per weight, one point for each optimizer. */
export function bytesPlot(evidence: Evidence, format: string, file?: string): Block {
  return plot(
    `Test accuracy in ${formatTitle(format)} by bytes per weight`,
    {
      x: { title: 'bytes of the weight and its state', ticksAtPoints: true },
      y: percentAxis('test accuracy'),
      series: rowsOf(evidence).map(({ title, bytes, accuracy }) => {
        const found = accuracy(format);
        return {
          name: title,
          markers: true,
          points: found === undefined ? [] : [{ x: bytes, y: found.mean, halfWidth: found.halfWidth }],
        };
      }),
    },
    file,
  );
}

/** Whether the study states the bytes of its optimizers. */
export const hasBytes = ({ study }: Evidence): boolean =>
  study.optimizers.some(({ bytesPerWeight }) => bytesPerWeight !== undefined);

/** Accuracy by the bytes that a weight and its state take between steps. */
export function bytesSection(evidence: Evidence): Block[] {
  if (!hasBytes(evidence) || select(evidence, 'final').length === 0) return [];
  const { formats } = evidence.study;
  return [
    heading('Accuracy by bytes per weight'),
    text(
      'Bytes of a trained matrix per weight between steps: the weight itself, or the medians that it follows from, ' +
        'and the state of the optimizer. Gradients, and the f32 values that one step computes with, are not counted. ' +
        'Test accuracy in percent.',
    ),
    table(
      ['optimizer', 'bytes', ...formats.map(formatTitle)],
      rowsOf(evidence).map(({ title, bytes, accuracy }) => [
        title,
        bytes.toFixed(1),
        ...formats.map((format) => percentInterval(accuracy(format))),
      ]),
    ),
    ...formats.slice(1).map((format) => bytesPlot(evidence, format)),
  ];
}
