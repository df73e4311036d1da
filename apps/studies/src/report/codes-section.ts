import { type Block, heading, table, text } from './blocks.js';
import { type Evidence, optimizerTitle, select } from './evidence.js';
import { decimal, formatTitle } from './format.js';

/** Flips and oscillation of the codes of the weights in the first and the last measured step. */
export function codesSection(evidence: Evidence): Block[] {
  const { study } = evidence;
  const seed = study.final.seeds[0]!;
  const rows = study.formats.flatMap((format) =>
    study.optimizers.flatMap(({ name }) => {
      const codes = select(evidence, 'final', { optimizer: name, format, seed })[0]?.result.codes ?? [];
      const [first, last] = [codes[0], codes.at(-1)];
      if (first === undefined || last === undefined) return [];
      const percents = [first.flipped, first.returned, last.flipped, last.returned];
      return [
        [
          formatTitle(format),
          optimizerTitle(study, name),
          ...percents.map((share) => decimal(100 * share, 3)),
          decimal(last.flipped === 0 ? undefined : last.returned / last.flipped, 2),
        ],
      ];
    }),
  );
  if (rows.length === 0) return [];
  return [
    heading('Codes of the weights that flip and oscillate'),
    text(
      `Seed ${seed}, in the first and the last measured step of the run. Flipped: percentage of the weights whose ` +
        'value, rounded to the format, changes in that step. Returned: percentage that changes and has the value of ' +
        'two steps before again. The last column is returned ÷ flipped at the end.',
    ),
    table(
      ['format', 'optimizer', 'flipped, first', 'returned', 'flipped, last', 'returned', 'returned ÷ flipped'],
      rows,
      2,
    ),
  ];
}
