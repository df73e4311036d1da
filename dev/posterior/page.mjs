/** The report of the posterior study, from its records. */
import { existsSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chartFile, lineChart, reportInMarkdown, tableOf } from '@lmd/report';
import { confidenceInterval } from '@lmd/studies';
import { writeAtomically } from '../bench/lib/page.mjs';
import { methods } from './methods.mjs';
import { readRecords } from './records.mjs';

export const recordsFile = fileURLToPath(new URL('../../docs/studies/posterior/records.jsonl', import.meta.url));

/** What the study found, which stands at the head of its report. */
const answer =
  'Averages over draws of LMD predict as one network of AdamW does: neither likelihood nor calibration gains from them. ' +
  'Only the deep ensemble is clearly more accurate and has the lower loss. With the entropy of its predictions LMD tells ' +
  'digits from clothes somewhat better than AdamW, which three seeds do not confirm. More noise costs LMD accuracy.';

const question =
  'A posterior is worth its draws where their averages predict better, are better calibrated, or know data of another ' +
  'kind. A small Vision Transformer learns Fashion-MNIST with LMD, IVON and AdamW; the last also as a deep ensemble of ' +
  'three networks (Lakshminarayanan et al., arXiv:1612.01474) and with dropout that stays on in prediction ' +
  '(Gal & Ghahramani, arXiv:1506.02142). Every method is searched with the same number of trials. LMD is a ' +
  'reconstruction from the published parts of its paper, so these are not results of the paper.';

const shown = (values, factor, digits) => {
  const interval = confidenceInterval(values.filter((value) => typeof value === 'number').map((x) => factor * x));
  if (interval === undefined) return '–';
  const { mean, halfWidth } = interval;
  return halfWidth === undefined ? mean.toFixed(digits) : `${mean.toFixed(digits)} ± ${halfWidth.toFixed(digits)}`;
};

/** The rows of the table: each method with the mean weights, and with its draws. */
function rowsOf(records) {
  return Object.entries(methods).flatMap(([name, { title, members }]) => {
    const finals = records.filter(({ method }) => method === name);
    if (finals.length === 0) return [];
    const kinds = [
      ...(members === undefined ? [{ title: `${title}, mean weights`, of: ({ mean }) => mean }] : []),
      {
        title: members === undefined ? `${title}, 32 draws` : `${title}, ${members} networks`,
        of: ({ drawn }) => drawn,
      },
    ];
    return kinds.flatMap(({ title: own, of }) => {
      const scores = finals.map(of).filter((found) => found !== undefined);
      return scores.length === 0 ? [] : [{ title: own, scores }];
    });
  });
}

export function composeReport(records) {
  const rows = rowsOf(records);
  const last = ({ averages }) => averages.at(-1);
  const seeds = [...new Set(records.flatMap(({ seed }) => (seed === undefined ? [] : [seed])))];
  const table = tableOf(
    ['predictions', 'accuracy %', 'NLL', 'NLL, scaled', 'ECE %', 'Brier', 'AUROC %'],
    rows.map(({ title, scores }) => [
      title,
      shown(
        scores.map((score) => last(score).accuracy),
        100,
        2,
      ),
      shown(
        scores.map((score) => last(score).loss),
        1,
        4,
      ),
      shown(
        scores.map(({ scaledLoss }) => scaledLoss),
        1,
        4,
      ),
      shown(
        scores.map((score) => last(score).calibrationError),
        100,
        2,
      ),
      shown(
        scores.map((score) => last(score).brier),
        1,
        4,
      ),
      shown(
        scores.map(({ auroc }) => auroc),
        100,
        1,
      ),
    ]),
  );
  const drawn = rows.filter(({ scores }) => scores[0].averages.length > 1);
  const title = 'Negative log-likelihood by number of averaged predictions';
  const chart = lineChart({
    label: title,
    x: { title: 'draws, or networks', scale: 'log', ticksAtPoints: true },
    y: { title: 'NLL on the test set (nats)' },
    series: drawn.map(({ title: name, scores }) => ({
      name,
      markers: true,
      points: scores[0].averages.map(({ samples }, at) => ({
        x: samples,
        ...(({ mean, halfWidth }) => ({ y: mean, halfWidth }))(
          confidenceInterval(scores.map(({ averages }) => averages[at].loss)),
        ),
      })),
    })),
  });
  const searches = tableOf(
    ['search', 'options', 'validation loss'],
    records
      .filter(({ validation }) => validation !== undefined)
      .map(({ label, searched, validation }) => [
        label.replace('search ', ''),
        Object.entries(searched)
          .map(([key, value]) => `${key} ${Number(value.toPrecision(3))}`)
          .join(', '),
        validation.loss.toFixed(4),
      ]),
    2,
  );
  const machines = [...new Set(records.map(({ machine }) => machine))].join('; ');
  const dates = records.map(({ date }) => date).sort();
  const hours = records.reduce((sum, { seconds }) => sum + seconds, 0) / 3600;
  const report = {
    title: 'Predictions with a posterior: LMD beside ensembles, dropout and IVON',
    blocks: /** @type {any[]} */ ([
      ...(answer === '' ? [] : [{ kind: 'text', text: answer }]),
      { kind: 'text', text: question },
      { kind: 'chart', title, chart, file: 'figure.svg' },
      { kind: 'heading', text: 'Results' },
      {
        kind: 'text',
        text:
          `Test set, 10,000 pictures, mean ± half width of the 95 % confidence interval over seeds ${seeds.join(', ')} ` +
          '(of an ensemble, over as many ensembles). NLL in nats; scaled: at the temperature that fits the validation ' +
          'set. ECE: expected calibration error, 15 bins of equal width. Brier from 0 to 2. AUROC: how well the ' +
          'entropy of the prediction tells MNIST’s digits from clothes.',
      },
      { kind: 'table', table },
      { kind: 'heading', text: 'Search' },
      {
        kind: 'text',
        text:
          'Four points for each method, 500 steps, loss of the mean weights on 2,000 validation pictures. An ensemble ' +
          'has the settings of AdamW.',
      },
      { kind: 'table', table: searches },
      { kind: 'heading', text: 'Setup' },
      {
        kind: 'text',
        text:
          'A Vision Transformer, patches of 7 × 7, width 64, 2 blocks, 2 heads, FP32, 1,500 steps of 64 pictures, ' +
          `cosine schedule. ${hours.toFixed(1)} hours, ${dates[0]} to ${dates.at(-1)}, ${machines}. ` +
          '`npm run posterior` runs the study, and `npm run posterior -- --write` writes this page.',
      },
    ]),
  };
  return { 'report.md': reportInMarkdown(report), 'figure.svg': chartFile(chart) };
}

/** Takes the records to docs/, and writes the report beside them. */
export async function write(from) {
  const folder = dirname(recordsFile);
  mkdirSync(folder, { recursive: true });
  const published = readRecords(recordsFile);
  const records = existsSync(from) ? readRecords(from) : published;
  const lost = published.find(({ label }) => records.every((record) => record.label !== label));
  if (lost !== undefined) {
    throw new Error(`${from} has no "${lost.label}", which the published records have: finish the study first.`);
  }
  writeAtomically(recordsFile, records.map((record) => `${JSON.stringify(record)}\n`).join(''));
  for (const [file, text] of Object.entries(composeReport(records))) writeAtomically(join(folder, file), text);
}
