import { html, Markup, tableInPage, tableOf } from '@lmd/report';
import { count, percent } from '../output/units.js';
import type { PredictedExample, Predictions } from './predictions-schema.js';

/** More classes than this are shown as the most frequent confusions. */
const mostClasses = 20;
const mostConfusions = 12;

/** Pictures with predictions, the confusions and the worst mistakes of one classifier. */
export function predictionsSection(predictions: Predictions): Markup {
  const { optimizer, split, examples, of, worst, samples } = predictions;
  const part = examples === of ? `all ${count(of)}` : `${count(examples)} evenly spaced of ${count(of)}`;
  return html`<section><h2>Predictions (${optimizer})</h2>
<p class="note">For ${part} ${split} images. Pictures show the input of the model, with the contrast stretched.</p>
${gallery(samples, predictions)}
<h3>Worst mistakes</h3>${
    worst.length === 0
      ? html`<p class="note">None of these images is classified wrongly.</p>`
      : gallery(worst, predictions)
  }
<h3>${predictions.classes > mostClasses ? 'Most frequent confusions' : 'Confusion matrix'}</h3>
${predictions.classes > mostClasses ? confusions(predictions) : matrix(predictions)}</section>`;
}

const nameOf = ({ classNames }: Predictions, label: number) => classNames?.[label] ?? String(label);

function gallery(examples: readonly PredictedExample[], predictions: Predictions): Markup {
  return html`<ul class="gallery">${examples.map(({ picture, label, predicted, probability }) => {
    const isRight = label === predicted;
    const text = `${nameOf(predictions, predicted)} ${percent(probability)}`;
    // Base64 by the schema, so nothing in it ends the attribute.
    const image = new Markup(`<img alt="" src="data:image/png;base64,${picture}">`);
    const truth = isRight ? undefined : html`<span class="truth">is ${nameOf(predictions, label)}</span>`;
    return html`<li class="${isRight ? 'right' : 'wrong'}">${image}<span>${isRight ? '✓' : '✗'} ${text}</span>${truth}</li>`;
  })}</ul>`;
}

/** Rows are labels, columns predictions; a cell is darker the larger its part of the row. */
function matrix(predictions: Predictions): Markup {
  const { classes, confusion } = predictions;
  const labels = Array.from({ length: classes }, (_, label) => label);
  const cells = new Map(confusion.map(({ label, predicted, count: times }) => [`${label} ${predicted}`, times]));
  const rows = labels.map((label) => {
    const values = labels.map((predicted) => cells.get(`${label} ${predicted}`) ?? 0);
    const total = values.reduce((sum, value) => sum + value, 0);
    const shown = values.map((value, predicted) => {
      const share = total === 0 ? 0 : value / total;
      const kind = predicted === label ? 'hit' : 'miss';
      return html`<td class="${kind}" style="--share: ${Math.round(100 * share)}%">${value === 0 ? '' : value}</td>`;
    });
    return html`<tr><th scope="row">${nameOf(predictions, label)}</th>${shown}</tr>`;
  });
  const head = labels.map((label) => html`<th scope="col">${nameOf(predictions, label)}</th>`);
  return html`<p class="note">Rows are the true classes, columns the predictions.</p>
<div class="scroll"><table class="confusion"><thead><tr><td></td>${head}</tr></thead><tbody>${rows}</tbody></table></div>`;
}

function confusions(predictions: Predictions): Markup {
  const wrong = predictions.confusion
    .filter(({ label, predicted }) => label !== predicted)
    .sort((a, b) => b.count - a.count)
    .slice(0, mostConfusions);
  if (wrong.length === 0) return html`<p class="note">There are none.</p>`;
  const rows = wrong.map(({ label, predicted, count: times }) => [
    nameOf(predictions, label),
    nameOf(predictions, predicted),
    count(times),
  ]);
  return tableInPage(tableOf(['true class', 'predicted', 'images'], rows, 2), { stacked: true });
}
