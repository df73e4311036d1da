import { rateText } from './study.mjs';

const percentAbove = (value, base) => 100 * (value / base - 1);

/** `3.1 % higher`, `0.4 % lower`. */
function compared(percent) {
  const shown = Math.abs(percent).toFixed(1);
  return shown === '0.0' ? 'equal to 0.1 %' : `${shown} % ${percent > 0 ? 'higher' : 'lower'}`;
}

const listed = (items) => items.map((item) => `- ${item}`).join('\n');

/** What the figures show, sentence by sentence, whatever they are. */
export function findings({ rules, final, deployed, settings }) {
  const title = (name) => rules.find(({ rule }) => rule === name).title;
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
  const slower = candidate.secondsPerStep / baseline.secondsPerStep;
  sentences.push(
    `A step of ${to} takes ${candidate.secondsPerStep.toPrecision(3)} s and one of ${from} ${baseline.secondsPerStep.toPrecision(3)} s, ${slower.toFixed(2)} times as long on this backend, where formats are emulated: each rounding is work that hardware with the format would save.`,
  );
  for (const { rule } of final) {
    const own = deployed.filter((row) => row.rule === rule);
    const [reference] = own;
    const others = own.slice(1).map((row) => {
      const percent = percentAbove(row.testPerplexity, reference.testPerplexity);
      return `${compared(percent)} in ${row.format}`;
    });
    if (others.length > 0) {
      sentences.push(`${title(rule)}'s test perplexity, against ${reference.format}: ${others.join(', ')}.`);
    }
  }
  return listed(sentences);
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

/** What the figures do not show. */
export function limits(results) {
  const { settings, rules, search } = results;
  const tokens = settings.finalSteps * settings.batchSize * settings.length;
  const rates = search.length / rules.length;
  return listed([
    'One seed: how much of a difference is chance is not measured.',
    `A small budget: ${tokens.toLocaleString('en-GB')} tokens, ${(tokens / settings.trainingTokens).toFixed(2)} times the training text. Which is ahead at a larger one is not measured.`,
    `A small search: ${rates} learning rates a rule, judged after ${settings.scoreAt} steps on a shorter schedule; the other hyper-parameters are the preset's, ${rules.map(({ title }) => `${title}'s`).join(' and ')} alike.`,
    ...atEdge(results),
    `The learning rate was chosen on the same ${settings.validationExamples} validation sequences that the final table shows; the test set had no part in any choice.`,
    'Seconds and memory are those of the backend and machine below, which may have had other work to do.',
  ]);
}
