import { type Block, heading, table, text } from './blocks.js';
import { type Evidence, optimizerTitle, select } from './evidence.js';
import { decimal, formatTitle, showOptions } from './format.js';

const columns = [
  ...['optimizer', 'winner', 'winner loss', 'median loss'],
  ...['winner accuracy %', 'median accuracy %', 'lowest accuracy %', 'diverged'],
];

/** The search space, the trials and the winner of each optimizer. */
export function searchSection(evidence: Evidence): Block[] {
  const { study, plan } = evidence;
  const { trials, rounds, steps, seed, format } = study.search;
  const points = rounds * trials;
  const designs = rounds === 1 ? 'a Latin hypercube' : `${rounds} Latin hypercubes`;
  const searched = format === undefined ? 'the first format of each optimizer' : formatTitle(format);
  const spaces = study.optimizers.map(({ name, search, options, clipNorm, distributed = {} }) => [
    optimizerTitle(study, name),
    Object.entries(search)
      .map(([option, { minimum, maximum, scale, choices }]) =>
        choices === undefined
          ? `${option} ${minimum} … ${maximum}${scale === 'log' ? '' : ' (linear)'}`
          : `${option} ${choices.join(' or ')}`,
      )
      .join('; '),
    [
      showOptions(options),
      clipNorm === undefined ? '' : `gradient norm clipped to ${clipNorm}`,
      showOptions(distributed),
    ]
      .filter((part) => part !== '')
      .join(', '),
  ]);
  const rows = study.optimizers.map(({ name }) => {
    const found = select(evidence, 'search', { optimizer: name });
    const finished = found.filter(({ result }) => !result.diverged && result.loss !== null);
    // From the best to the worst, whichever trial has it: how much an optimizer depends on its settings.
    const losses = finished.map(({ result }) => result.loss!).sort((a, b) => a - b);
    const accuracies = finished.map(({ result }) => result.accuracy!).sort((a, b) => b - a);
    // Of an even number the worse of the middle two, which a trial has had: not d3's mean of both.
    const middle = Math.floor(finished.length / 2);
    const percent = (accuracy: number | undefined) => (accuracy === undefined ? '–' : decimal(100 * accuracy, 2));
    const winner = plan.winners.get(name);
    const best = typeof winner === 'object' ? winner : undefined;
    return [
      optimizerTitle(study, name),
      best === undefined
        ? winner === 'none'
          ? 'every trial diverged'
          : `${found.length} of ${points} trials finished`
        : showOptions(best.options),
      decimal(losses[0], 4),
      decimal(losses[middle], 4),
      percent(best?.accuracy),
      percent(accuracies[middle]),
      percent(accuracies.at(-1)),
      String(found.filter(({ result }) => result.diverged).length),
    ];
  });
  return [
    heading('Hyperparameter search'),
    text(
      `${points} trials per optimizer, at the points of ${designs} (seed ${seed}); ${steps} steps each ` +
        `in ${searched}. The criterion is the validation loss. The winner is used in every format, without ` +
        'tuning for each format. Optimizers that train only matrices are combined with AdamW for biases, gains ' +
        `and embeddings, with one setting: ${showOptions(study.rest)}.`,
    ),
    table(['optimizer', 'search space (log scale)', 'fixed'], spaces, 3),
    table(columns, rows, 2),
  ];
}
