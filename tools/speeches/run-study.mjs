import { join, resolve } from 'node:path';
import { root } from '../../scripts/lib.mjs';
import { loadBuilt } from './built.mjs';
import { collect } from './collect.mjs';
import { prepareData, testExamples } from './data.mjs';
import { StudyError } from './errors.mjs';
import { answerTo, ask, questionsOf, told, train, trainingUnits } from './jobs.mjs';
import { createLmd } from './lmd.mjs';
import { writePage } from './page.mjs';
import { createProgress } from './progress.mjs';
import { bestOf, readRun, secondsPerStep, wantedConfiguration } from './runs.mjs';
import { finalRun, loadStudy, searchRuns } from './study.mjs';
import { claimWork, openOccasions } from './work.mjs';

/** Runs what is missing of the study, in its order, and writes the page after each part. */
export async function runStudy({ study: file, work: workOption, data: dataOption, out, backend: chosen, only }) {
  const study = loadStudy(file);
  if (only === 'search' && study.search === undefined) throw new StudyError(`${file} has no search.`, 2);
  const built = await loadBuilt();
  const backend = chosen ?? study.backend;
  const work = resolve(workOption ?? join(root, 'runs', `${study.name}-study`));
  const searched = searchRuns(study);
  const finals = study.rules.flatMap(({ rule, learningRates }) =>
    learningRates.map((rate) => finalRun(study, rule, rate)),
  );
  const names = [...searched, ...finals];
  checkSettings(built, study, names, backend);
  await claimWork(built, work, study, (name) => names.some((run) => run.name === name));
  const lock = await lockWork(built, work);
  const { lmd, dispose } = createLmd(built);
  try {
    const data = await prepareData(lmd, study, resolve(dataOption ?? join(work, 'data')), console.error);
    const context = { lmd, study, built, backend, data, work, out, occasions: openOccasions(built, work) };
    await runParts(context, searched, only);
  } finally {
    dispose();
    await lock.release();
  }
}

/** Throws where `lmd train` would refuse what the study or `--backend` asks for. */
function checkSettings(built, study, runs, backend) {
  try {
    for (const run of runs) wantedConfiguration(built, study, run, backend, { folder: 'data' });
  } catch (error) {
    throw new StudyError(error.message, 2);
  }
}

async function lockWork({ lockRun }, work) {
  try {
    return await lockRun(work);
  } catch (error) {
    if (error.code === 'RUN_LOCKED') throw new StudyError(`Another tool is at work in ${work}. ${error.message}`);
    throw error;
  }
}

async function runParts(context, runs, only) {
  const { study, built, backend, data, work } = context;
  const testCount = testExamples(data, study.set['data.length']);
  const read = (run) => readRun(built, study, run, context);
  let searched = runs.map(read);
  // Which learning rates the final runs have is not known before the search is done; what they cost is.
  const supposed = study.rules.map(({ rule, learningRates }) => finalRun(study, rule, learningRates[0]));
  const rateOf = ({ rule, learningRates: [only] }) =>
    study.search === undefined ? only : bestOf(searched, rule).learningRate;
  const finals = () => study.rules.map((rule) => read(finalRun(study, rule.rule, rateOf(rule))));
  const rates = new Map();
  for (const run of searched) {
    const seconds = run.state === 'done' && !run.diverged ? secondsPerStep(run.lines) : undefined;
    if (seconds !== undefined) rates.set(run.rule, seconds);
  }
  const complete = searched.every(({ state }) => state === 'done');
  const jobs = [
    ...searched.map((run) => ({ ...run, units: trainingUnits(run, study, testCount), done: run.state === 'done' })),
    ...(only === 'search' ? [] : finalJobs(complete ? finals() : supposed)),
  ];
  function finalJobs(list) {
    return list.flatMap((run) => [
      { name: run.name, rule: run.rule, units: trainingUnits(run, study, testCount), done: run.state === 'done' },
      ...questionsOf(study, run, backend, testCount).map((question) => ({
        ...question,
        done: answerTo(work, question) !== undefined,
      })),
    ]);
  }
  let progress = createProgress(jobs, rates);
  const withProgress = () => ({ ...context, progress });
  const done = [];
  for (const run of searched) {
    if (run.state === 'done') progress.line(`${run.name}: ${told(run)} (done before)`);
    done.push(run.state === 'done' ? run : await train(withProgress(), run));
  }
  searched = done;
  await write(context, searched, []);
  if (only === 'search') return;

  const begun = finals();
  progress = createProgress(finalJobs(begun), rates);
  const finished = [];
  for (const run of begun) {
    if (run.state === 'done') progress.line(`${run.name}: ${told(run)} (done before)`);
    const trained = run.state === 'done' ? run : await train(withProgress(), run);
    const answers = [];
    for (const question of questionsOf(study, trained, backend, testCount)) {
      const before = answerTo(work, question);
      answers.push({ ...question, answer: before ?? (await ask(withProgress(), question)) });
    }
    finished.push({ ...trained, answers });
    await write(context, searched, finished);
  }
}

async function write(context, searched, finished) {
  const { results, losses } = collect(context, searched, finished);
  for (const path of await writePage(context.built, context.out, results, losses)) console.error(`wrote ${path}`);
}
