import { type Block, heading, table, text } from './blocks.js';
import { type Evidence, optimizerTitle, select } from './evidence.js';
import { decimal, formatTitle } from './format.js';

/** Flips and oscillation of the codes of the weights early and late in the run. */
export function codesSection(evidence: Evidence): Block[] {
  const { study } = evidence;
  const seed = study.final.seeds[0]!;
  const rows = study.formats.flatMap((format) =>
    study.optimizers.flatMap(({ name }) => {
      const codes = select(evidence, 'final', { optimizer: name, format, seed })[0]?.result.codes ?? [];
      // The learning rate of the last step is 0.
      const shown = [codes[0], codes.at(-2)].filter((found) => found !== undefined);
      if (shown.length === 0) return [];
      return [
        [
          formatTitle(format),
          optimizerTitle(study, name),
          ...shown.flatMap(({ flipped, returned }) => [
            decimal(100 * flipped, 3),
            decimal(flipped === 0 ? undefined : returned / flipped, 2),
          ]),
        ],
      ];
    }),
  );
  if (rows.length === 0) return [];
  return [
    heading('Codes of the weights that flip and oscillate'),
    text(
      `Seed ${seed}, in the first and the last but one of the measured steps. Flipped: percentage of the weights whose ` +
        'value, rounded to the format, changes in that step. Returned: fraction of those whose value is that of two ' +
        'steps before again.',
    ),
    table(['format', 'optimizer', 'flipped % early', 'returned', 'flipped % late', 'returned'], rows, 2),
  ];
}
