import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { markdownTable } from '../markdown-table.mjs';
import { StudyError } from './errors.mjs';
import { findings, limits } from './findings.mjs';
import { rateText } from './study.mjs';

const count = (value) => value.toLocaleString('en-GB');
const perplexity = (value) => (value === undefined ? '' : value.toFixed(2));
const loss = (value) => (value === undefined ? '' : value.toFixed(4));
const seconds = (value) => (value === undefined ? '' : value.toPrecision(3));
const distinct = (values) => [...new Set(values)];

/** More backticks than any in the text, so that it stands as it is. */
function fenced(text) {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = '`'.repeat(longest + 1);
  return `${fence}text\n${text}\n${fence}`;
}

/** The command that makes the page: of the tool's own study unless another file is named. */
export function commandOf({ study, file, backend, defaultBackend }) {
  const words = [
    ...(file === 'study.json' ? [] : [`--study tools/speeches/${file}`, `--out docs/studies/${study}`]),
    ...(backend === defaultBackend ? [] : [`--backend ${backend}`]),
  ];
  return ['npm run study:speeches', ...(words.length === 0 ? [] : ['--', ...words])].join(' ');
}

/** The command that writes the page anew from its figures. */
const reportCommand = ({ study, file }) =>
  `npm run study:speeches -- --report${file === 'study.json' ? '' : ` --out docs/studies/${study}`}`;

function titleOf({ rules }, name) {
  const { title, format } = rules.find(({ rule }) => rule === name);
  return { title, format };
}

function searchSection(results) {
  const { settings, search } = results;
  const rows = search.map((row) => [
    titleOf(results, row.rule).title,
    row.format,
    rateText(row.learningRate),
    row.diverged ? 'diverged' : loss(row.validationLoss),
    perplexity(row.validationPerplexity),
    row.best ? 'yes' : '',
  ]);
  const head = ['rule', 'format', '>learning rate', '>validation loss', '>validation perplexity', 'best'];
  if (rows.length === 0) return undefined;
  return `## Search

Each rule at ${search.length / results.rules.length} learning rates, judged by the loss on ${settings.validationExamples} validation sequences after ${settings.scoreAt} steps (of a schedule of ${settings.searchSteps}, warm-up ${settings.searchWarmup}); the test set has no part in it. The best goes on to the final run.

${markdownTable(head, rows)}`;
}

function finalSection(results) {
  const { settings, final } = results;
  const baseline = final.find(({ rule }) => rule === settings.baseline);
  const ratio = (row, key) => {
    if (baseline === undefined || row.rule === settings.baseline) return '';
    return `${(100 * (row[key] / baseline[key])).toFixed(1)} %`;
  };
  const compares = settings.baseline !== undefined;
  const beside = (cell) => (compares ? [cell] : []);
  const rows = final.map((row) => [
    titleOf(results, row.rule).title,
    row.format,
    rateText(row.learningRate),
    perplexity(row.validationPerplexity),
    ...beside(ratio(row, 'validationPerplexity')),
    perplexity(row.testPerplexity),
    ...beside(ratio(row, 'testPerplexity')),
    seconds(row.secondsPerStep),
    `${(row.peakMemoryBytes / 2 ** 30).toFixed(2)} GiB`,
  ]);
  const ofBaseline = compares ? [`>of ${titleOf(results, settings.baseline).title}'s`] : [];
  const head = [
    ...['rule', 'format', '>learning rate', '>validation perplexity', ...ofBaseline],
    ...['>test perplexity', ...ofBaseline],
  ];
  const { finalSteps, batchSize, length, trainingTokens } = settings;
  const tokens = finalSteps * batchSize * length;
  return `## Final run${final.length > 1 ? 's' : ''}

${count(finalSteps)} steps of ${batchSize} sequences × ${length} tokens (${count(tokens)} tokens, ${(tokens / trainingTokens).toFixed(2)} epochs), warm-up ${settings.finalWarmup}, cosine schedule, seed ${settings.seed}. Validation: ${count(settings.validationExamples)} sequences, after the last step; test: all ${count(settings.testExamples)}, once. LMD is evaluated at the mean of its posterior.

${markdownTable([...head, '>seconds a step', '>peak memory'], rows)}

Seconds a step are the median over all steps; peak memory is the largest resident memory of the training process.

![Training and validation loss by step](loss.svg)`;
}

function deployedSection(results) {
  const { deployed, final } = results;
  const formats = distinct(deployed.map(({ format }) => format));
  const rows = final.map(({ rule, format: trained }) => [
    titleOf(results, rule).title,
    trained,
    ...formats.map((format) => {
      const row = deployed.find((one) => one.rule === rule && one.format === format);
      return row === undefined ? '' : `${perplexity(row.testPerplexity)}${format === trained ? ' ←' : ''}`;
    }),
  ]);
  return `## Trained and deployed

Test perplexity of the finished weights with the forward pass in each format (← the format of the training).

${markdownTable(['rule', 'trained in', ...formats.map((format) => `>${format}`)], rows)}`;
}

function samplesSection(results) {
  const { generation, samples, rules } = results;
  const { maxTokens, seed } = generation;
  const sampling = [
    ['temperature', generation.temperature],
    ['top-k', generation.topK],
    ['top-p', generation.topP],
    ['repetition penalty', generation.repetitionPenalty],
  ].flatMap(([name, value]) => (value === undefined ? [] : [`${name} ${value}`]));
  const texts = rules.flatMap(({ rule, title, format }) =>
    samples
      .filter((sample) => sample.rule === rule)
      .map(({ prompt, text }) => `${title} (${format}), from “${prompt}”:\n\n${fenced(`${prompt}${text}`)}`),
  );
  return `## Samples

\`lmd generate\`, ${maxTokens} tokens after each prompt, ${sampling.join(', ')}, seed ${seed}, in the format of the training. All that was generated, as it came.

${texts.join('\n\n')}`;
}

/** What a rule's settings are beside the preset's. */
function ownSettings({ rules }) {
  const own = rules.flatMap(({ title, set = {} }) => {
    const pairs = Object.entries(set).map(([key, value]) => `\`${key}\` ${value}`);
    return pairs.length === 0 ? [] : [`${title} with ${pairs.join(', ')}`];
  });
  return own.length === 0 ? '' : `, ${own.join('; ')}`;
}

function madeSection(results) {
  const { data, settings, final, search } = results;
  const facts = [
    ['Command', `\`${commandOf(results)}\``],
    ['Text', data.description],
    [
      'SHA-256 of the tokens',
      `${data.sha256.slice(0, 16)}… (training), ${data.heldOutSha256.slice(0, 16)}… (held out)`,
    ],
    [
      'Configuration',
      `preset \`${settings.parametersOf}\` with the settings of [${results.file}](../../../tools/speeches/${results.file})${ownSettings(results)}`,
    ],
    ['Backend', results.backend],
  ];
  for (const row of final) {
    const begun = row.occasions.map(({ date }) => date).join(', ');
    const commits = distinct(row.occasions.map(({ commit }) => commit)).join(', ');
    facts.push([
      `Final run, ${titleOf(results, row.rule).title}`,
      `begun or resumed ${begun}; finished ${row.finished}; commit ${commits}; ${row.seconds.toFixed(0)} s in all`,
    ]);
  }
  const ofAll = (text) => distinct(final.map(text)).join('; ');
  if (final.length > 0) {
    facts.push(
      ['Model', ofAll(({ model }) => model)],
      ['Machine', ofAll(({ machine, device, node }) => `${machine}; ${device}; Node ${node}`)],
      ['Versions', ofAll(({ versions }) => versions)],
    );
  }
  const known = search.filter(({ occasions }) => occasions.length > 0);
  const commits = distinct(known.flatMap(({ occasions }) => occasions.map(({ commit }) => commit)));
  const dates = known.flatMap(({ occasions }) => occasions.map(({ date }) => date)).sort();
  const machines = distinct(
    known.flatMap(({ occasions }) => occasions.map(({ machine, node }) => `${machine}, Node ${node}`)),
  );
  const parts =
    known.length === 0
      ? []
      : [`${known.length} runs, ${dates[0]} to ${dates.at(-1)}; commit ${commits.join(', ')}; ${machines.join('; ')}`];
  if (known.length < search.length) {
    parts.push(
      `${search.length - known.length} runs with the same configuration on the same text were made by \`lmd train\` beforehand and taken over; their commit and machine are not recorded`,
    );
  }
  if (parts.length > 0) facts.push(['Search', parts.join('; ')]);
  return `## How it was made

${facts.map(([term, value]) => `- ${term}: ${value}.`).join('\n')}

The figures are in [results.json](results.json) and, step by step, in [losses.csv](losses.csv); \`${reportCommand(results)}\` writes this page from them.`;
}

/** The page in Markdown. What is not there yet is left out, and said. */
export function renderPage(results) {
  const { rules, final, samples, deployed, settings } = results;
  const missing = rules.filter(({ rule }) => !final.some((row) => row.rule === rule)).map(({ title }) => title);
  const partial = `Partial: the final ${missing.length === 1 ? 'run' : 'runs'} of ${missing.join(' and ')} ${missing.length === 1 ? 'is' : 'are'} missing.`;
  const under = ({ title, format }) => `${title} under ${format}`;
  const what =
    settings.baseline === undefined
      ? `${rules.map(under).join(' and ')}, from scratch`
      : `${under(titleOf(results, settings.candidate))} beside ${titleOf(results, settings.baseline).title} in ${titleOf(results, settings.baseline).format}, from scratch, at the same budget`;
  const sections = [
    `# ${results.title}`,
    `${what}. Written by the command below; no figure is typed.`,
    ...(missing.length > 0 ? [partial] : [`## What it shows\n\n${findings(results)}`]),
    searchSection(results),
    ...(final.length > 0 ? [finalSection(results)] : []),
    ...(deployed.length > 0 ? [deployedSection(results)] : []),
    ...(samples.length > 0 ? [samplesSection(results)] : []),
    `## Limits\n\n${limits(results)}`,
    madeSection(results),
  ].filter((section) => section !== undefined);
  return `${sections.join('\n\n')}\n`;
}

const csvHead = 'rule,step,training_loss,validation_loss';

function csvOf(losses) {
  const rows = losses.map(
    ({ rule, step, training, validation }) => `${rule},${step},${training ?? ''},${validation ?? ''}\n`,
  );
  return `${csvHead}\n${rows.join('')}`;
}

function parseCsv(text) {
  const value = (cell) => (cell === '' ? undefined : Number(cell));
  return text
    .split('\n')
    .slice(1, -1)
    .map((line) => {
      const [rule, step, training, validation] = line.split(',');
      return { rule, step: Number(step), training: value(training), validation: value(validation) };
    });
}

function curvesOf({ final, settings, ...results }, losses) {
  return final.map(({ rule, format, testLoss }) => {
    const own = losses.filter((row) => row.rule === rule);
    const points = (key) => own.filter((row) => row[key] !== undefined).map((row) => ({ x: row.step, y: row[key] }));
    return {
      optimizer: `${titleOf(results, rule).title} (${format})`,
      train: points('training'),
      validationLoss: points('validation'),
      testLoss: { x: settings.finalSteps, y: testLoss },
    };
  });
}

/** Everything that is made of the figures: file by file. */
export function composeFiles({ renderLossCurves }, results, losses) {
  return {
    'README.md': renderPage(results),
    ...(results.final.length > 0 ? { 'loss.svg': renderLossCurves(curvesOf(results, losses)) } : {}),
  };
}

/** Writes the figures and what is made of them; gives the paths. */
export async function writePage(built, out, results, losses) {
  await mkdir(out, { recursive: true });
  const files = {
    'results.json': `${JSON.stringify(results, null, 2)}\n`,
    'losses.csv': csvOf(losses),
    ...composeFiles(built, results, losses),
  };
  return await writeAll(built, out, files);
}

async function writeAll({ writeFileAtomic }, out, files) {
  for (const [name, text] of Object.entries(files)) await writeFileAtomic(join(out, name), text);
  return Object.keys(files).map((name) => join(out, name));
}

/** The figures that a page was made of. */
export async function readFigures(out) {
  const path = join(out, 'results.json');
  try {
    const results = JSON.parse(await readFile(path, 'utf8'));
    if (results.format !== 'lmd-speeches-results-v1') throw new Error('it holds something else');
    return { results, losses: parseCsv(await readFile(join(out, 'losses.csv'), 'utf8')) };
  } catch (cause) {
    throw new StudyError(`${out} holds no figures of this study (${path}: ${cause.message}). Run the study first.`, 2);
  }
}

/** Writes the page anew from its figures. */
export async function rewritePage(built, out) {
  const { results, losses } = await readFigures(out);
  return await writeAll(built, out, composeFiles(built, results, losses));
}
