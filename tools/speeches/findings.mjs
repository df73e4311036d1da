import { rateText } from './study.mjs';

const percentAbove = (value, base) => 100 * (value / base - 1);

/** `3.1 % higher`, `0.4 % lower`. */
function compared(percent) {
  const shown = Math.abs(percent).toFixed(1);
  return shown === '0.0' ? 'equal to 0.1 %' : `${shown} % ${percent > 0 ? 'higher' : 'lower'}`;
}

const listed = (items) => items.map((item) => `- ${item}`).join('\n');

/** What the figures show, sentence by sentence, whatever they are. */
export function findings(results) {
  const of = results.settings.baseline === undefined ? single : beside;
  return listed([...of(results), ...formatsBeside(results)]);
}

const titleIn = (rules, name) => rules.find(({ rule }) => rule === name).title;

/** Of a study that compares nothing. */
const single = ({ rules, final }) =>
  final.map(
    ({ rule, format, validationPerplexity, testPerplexity, secondsPerStep }) =>
      `${titleIn(rules, rule)} in ${format} reaches a validation perplexity of ${validationPerplexity.toFixed(2)} and a test perplexity of ${testPerplexity.toFixed(2)}; a step takes ${secondsPerStep.toPrecision(3)} s.`,
  );

function beside({ rules, final, settings }) {
  const title = (name) => titleIn(rules, name);
  const [baseline, candidate] = [settings.baseline, settings.candidate].map((name) =>
    final.find(({ rule }) => rule === name),
  );
  const [from, to] = [baseline, candidate].map(({ rule, format }) => `${title(rule)} in ${format}`);
  const sentences = [
    ['validation', 'validationPerplexity'],
    ['test', 'testPerplexity'],
  ].map(([part, key]) => {
    const percent = percentAbove(candidate[key], baseline[key]);
    const verdict = percent <= settings.withinPercent ? 'within' : 'not within';
    return `The ${part} perplexity of ${to} is ${candidate[key].toFixed(2)} and that of ${from} ${baseline[key].toFixed(2)}: ${compared(percent)}, ${verdict} ${settings.withinPercent} %.`;
  });
  if (settings.speed === false) return sentences;
  const slower = candidate.secondsPerStep / baseline.secondsPerStep;
  sentences.push(
    `A step of ${to} takes ${candidate.secondsPerStep.toPrecision(3)} s and one of ${from} ${baseline.secondsPerStep.toPrecision(3)} s, ${slower.toFixed(2)} times as long on this backend, where formats are emulated: each rounding is work that hardware with the format would save.`,
  );
  return sentences;
}

/** What deploying in another format costs each rule, against the first. */
function formatsBeside({ rules, final, deployed }) {
  return final.flatMap(({ rule }) => {
    const [reference, ...others] = deployed.filter((row) => row.rule === rule);
    if (others.length === 0) return [];
    const costs = others.map(
      ({ format, testPerplexity }) =>
        `${compared(percentAbove(testPerplexity, reference.testPerplexity))} in ${format}`,
    );
    return [`${titleIn(rules, rule)}'s test perplexity, against ${reference.format}: ${costs.join(', ')}.`];
  });
}

/** Rules whose best learning rate is the largest or the smallest that was tried. */
function atEdge({ search, rules }) {
  return rules.flatMap(({ rule, title }) => {
    const rows = search.filter((row) => row.rule === rule).sort((a, b) => a.learningRate - b.learningRate);
    const at = rows.findIndex(({ best }) => best);
    if (rows.length > 1 && at > 0 && at < rows.length - 1) return [];
    return [
      `${title}'s best learning rate (${rateText(rows[at].learningRate)}) is the ${at === 0 ? 'smallest' : 'largest'} that was tried: a better one may lie beyond.`,
    ];
  });
}

function limitsOfSearch(results) {
  const { settings, rules, search } = results;
  const rates = search.length / rules.length;
  return [
    `A small search: ${rates} learning rates a rule, judged after ${settings.scoreAt} steps on a shorter schedule; the other hyper-parameters were not searched, ${rules.map(({ title }) => `${title}'s`).join(' and ')} alike.`,
    ...atEdge(results),
    `The learning rate was chosen on the same ${settings.validationExamples} validation sequences that the final table shows; the test set had no part in any choice.`,
  ];
}

/** What the figures do not show. */
export function limits(results) {
  const { settings, rules } = results;
  const tokens = settings.finalSteps * settings.batchSize * settings.length;
  const compares = settings.baseline !== undefined;
  return listed([
    compares
      ? 'One seed: how much of a difference is chance is not measured.'
      : 'One seed: how much of the result is chance is not measured.',
    `A small budget: ${tokens.toLocaleString('en-GB')} tokens, ${(tokens / settings.trainingTokens).toFixed(2)} times the training text.${compares ? ' Which is ahead at a larger one is not measured.' : ''}`,
    ...(rules.length > 1
      ? []
      : ['No other rule has been trained at this budget: the page says nothing of which is ahead.']),
    ...(settings.scoreAt === undefined ? ['No hyper-parameter was searched at this budget.'] : limitsOfSearch(results)),
    settings.speed === false
      ? 'The machine had other work to do: the seconds of one rule say nothing beside those of the other.'
      : 'Seconds and memory are those of the backend and machine below, which may have had other work to do.',
  ]);
}
