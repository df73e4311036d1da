import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { StudyError } from './errors.mjs';
import { assignmentsOf, divergedPath, readRun } from './runs.mjs';

/** What `lmd train` says of a run that has diverged. */
const nonFinite = 'NON_FINITE';

/** Evaluating an example takes about a third of training on it: there is no backward pass. */
const evaluationUnits = (examples, batchSize) => examples / 3 / batchSize;

export function trainingUnits(run, study, testCount) {
  const { batchSize } = study.set;
  const steps = run.scoreAt ?? run.steps;
  const evaluations = Math.ceil(steps / study[run.part].evaluateEvery);
  const examples = evaluations * study.set['evaluation.examples'] + (run.part === 'final' ? testCount : 0);
  return steps + evaluationUnits(examples, batchSize);
}

/** Trains one run, or goes on with it; gives it as it then stands. */
export async function train(context, run) {
  const { lmd, study, progress, occasions, backend, data, built } = context;
  const settings = Object.entries(assignmentsOf(run, backend, data)).map(([key, value]) => `${key}=${value}`);
  const words =
    run.state === 'begun'
      ? ['train', '--resume', run.folder]
      : ['train', study.preset, '--only', run.rule, '--set', ...settings, '--out', run.folder];
  progress.begin(run.name, run.state === 'begun' ? 'going on' : 'beginning');
  await occasions.add(run.name);
  let evaluations = 0;
  const onEvent = (event) => {
    if (event.type === 'start') evaluations = Math.floor(event.startStep / study[run.part].evaluateEvery);
    if (event.type === 'evaluation' && event.split === 'validation') evaluations++;
    if (event.type === 'warning') progress.line(`${run.name}: ${event.message}`);
    if (event.type !== 'step') return;
    const evaluated = evaluationUnits(evaluations * study.set['evaluation.examples'], study.set.batchSize);
    progress.at(
      event.step + evaluated,
      `step ${event.step} of ${run.scoreAt ?? run.steps}, loss ${event.loss.toFixed(4)}`,
    );
  };
  const isScore = (event) => event.type === 'evaluation' && event.split === 'validation' && event.step === run.scoreAt;
  const search = run.part === 'search';
  const last = await lmd(words, { onEvent, ...(search ? { stopAt: isScore, accept: [nonFinite] } : {}) });
  // A run that is stopped at its score ends with an error, too.
  if (last?.type === 'error' && last.code === nonFinite) {
    await built.writeFileAtomic(divergedPath(run.folder), `${JSON.stringify({ message: last.message }, null, 2)}\n`);
  }
  const after = readRun(built, study, run, context);
  if (after.state !== 'done') throw new StudyError(`${run.folder} ended without its result.`);
  // A run of the search has told its score; its checkpoints, of half a gigabyte each, are for nothing more.
  if (search) rmSync(join(run.folder, run.rule, 'checkpoints'), { recursive: true, force: true });
  progress.end(told(after));
  return after;
}

export function told(run) {
  if (run.diverged) return 'diverged';
  const { loss, perplexity } = run.validation;
  return `validation loss ${loss.toFixed(4)}, perplexity ${perplexity.toFixed(2)}`;
}

/** What a command told of a final run, kept in a file beside the run with the question, so that another question asks again. */
function kept(path, question) {
  if (!existsSync(path)) return undefined;
  const found = JSON.parse(readFileSync(path, 'utf8'));
  return JSON.stringify(found.question) === JSON.stringify(question) ? found.answer : undefined;
}

/** `topK` as `--top-k`. */
const optionOf = (name) => `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;

/** The questions to a finished final run: its weights in each format, and each prompt. */
export function questionsOf(study, run, backend, testCount) {
  const { prompts, ...sampling } = study.samples;
  const { maxTokens } = sampling;
  const evaluations = study.deploy.map((format) => ({
    name: `${run.name}-${format}`,
    rule: run.rule,
    units: evaluationUnits(testCount, study.set.batchSize),
    question: { kind: 'evaluation', backend, steps: run.steps, format },
    words: ['evaluate', run.folder, '--format', format, '--backend', backend],
    read: ({ results: [row] }) => row,
    told: (row) => `test perplexity ${row.testPerplexity.toFixed(2)}`,
  }));
  const samples = prompts.map((prompt, index) => ({
    name: `${run.name}-sample-${index + 1}`,
    rule: run.rule,
    units: maxTokens / 20,
    question: {
      kind: 'sample',
      backend,
      steps: run.steps,
      format: run.format,
      prompt,
      ...sampling,
    },
    words: [
      ...['generate', run.folder, '--prompt', prompt, '--format', run.format, '--backend', backend],
      ...Object.entries(sampling).flatMap(([name, value]) => [optionOf(name), String(value)]),
    ],
    read: ({ prompt, text }) => ({ prompt, text }),
    told: ({ text }) => JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text),
  }));
  return [...evaluations, ...samples];
}

const answerPath = (work, { name }) => join(work, `${name}.json`);

export const answerTo = (work, question) => kept(answerPath(work, question), question.question);

export async function ask({ lmd, work, progress, built }, question) {
  progress.begin(question.name, 'beginning');
  const answer = question.read(await lmd(question.words));
  await built.writeFileAtomic(
    answerPath(work, question),
    `${JSON.stringify({ question: question.question, answer }, null, 2)}\n`,
  );
  progress.end(question.told(answer));
  return answer;
}
