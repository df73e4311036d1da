import { type Block, heading, list, text } from './blocks.js';
import { type Evidence, optimizerTitle, select } from './evidence.js';
import { formatTitle } from './format.js';

/** Texts that the language models of the first seed wrote, as they came. */
export function samplesSection(evidence: Evidence): Block[] {
  const { study } = evidence;
  const seed = study.final.seeds[0]!;
  const found = select(evidence, 'final', { seed }).filter(({ result }) => result.samples !== undefined);
  if (found.length === 0) return [];
  return [
    heading('Samples'),
    text('Generated after training, in the format of the training; unedited.'),
    list(
      found.flatMap(({ trial, result }) =>
        result.samples!.map(({ prompt, text }) => {
          const by = `${optimizerTitle(study, trial.optimizer)}, ${formatTitle(trial.format)}`;
          return `${by}, from “${prompt}”: “${prompt}${text}”`;
        }),
      ),
    ),
  ];
}
