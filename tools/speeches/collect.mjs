import { describeData, testExamples } from './data.mjs';
import { bestOf, secondsPerStep } from './runs.mjs';

/** Six digits: more than two runs on two machines agree on. */
const figure = (value) => (Number.isFinite(value) ? Number(value.toPrecision(6)) : undefined);

/** What the page shows, as plain data, and the losses of the final runs step by step. */
export function collect({ study, backend, data, occasions }, searched, finished) {
  const { set, search, final, samples } = study;
  const length = set['data.length'];
  const results = {
    format: 'lmd-speeches-results-v1',
    study: study.name,
    file: study.file,
    title: study.title,
    backend,
    defaultBackend: study.backend,
    data: { description: describeData(data), sha256: data.train.sha256, heldOutSha256: data.heldOut.sha256 },
    settings: {
      seed: set.seed,
      batchSize: set.batchSize,
      length,
      parametersOf: study.preset,
      trainingTokens: data.train.tokens,
      validationExamples: set['evaluation.examples'],
      testExamples: testExamples(data, length),
      searchSteps: search?.steps,
      scoreAt: search?.scoreAt,
      searchWarmup: search?.warmup,
      finalSteps: final.steps,
      finalWarmup: final.warmup,
      ...study.comparison,
    },
    rules: study.rules.map(({ rule, title, format, set }) => ({ rule, title, format, set })),
    search: searched.map((run) => searchRow(run, searched, occasions)),
    final: finished.map((run) => finalRow(run, occasions)),
    deployed: finished.flatMap(({ rule, answers }) =>
      answers
        .filter(({ question }) => question.kind === 'evaluation')
        .map(({ question, answer }) => ({
          rule,
          format: question.format,
          step: answer.step,
          testLoss: figure(answer.testLoss),
          testPerplexity: figure(answer.testPerplexity),
          testAccuracy: figure(answer.testAccuracy),
        })),
    ),
    generation: {
      maxTokens: samples.maxTokens,
      temperature: samples.temperature,
      topK: samples.topK,
      topP: samples.topP,
      repetitionPenalty: samples.repetitionPenalty,
      seed: samples.seed,
    },
    samples: finished.flatMap(({ rule, answers }) =>
      answers
        .filter(({ question }) => question.kind === 'sample')
        .map(({ answer: { prompt, text } }) => ({ rule, prompt, text })),
    ),
  };
  // Without the keys that have no value.
  return { results: JSON.parse(JSON.stringify(results)), losses: lossesOf(finished) };
}

function searchRow(run, searched, occasions) {
  const row = { rule: run.rule, format: run.format, learningRate: run.learningRate, occasions: occasions.of(run.name) };
  if (run.diverged) return { ...row, diverged: true, best: false };
  return {
    ...row,
    validationLoss: figure(run.validation.loss),
    validationPerplexity: figure(run.validation.perplexity),
    secondsPerStep: figure(secondsPerStep(run.lines)),
    best: bestOf(searched, run.rule) === run,
  };
}

function finalRow(run, occasions) {
  const { environment, results } = run.summary;
  const [result] = results;
  return {
    rule: run.rule,
    format: run.format,
    learningRate: run.learningRate,
    validationLoss: figure(run.validation.loss),
    validationPerplexity: figure(run.validation.perplexity),
    validationAccuracy: figure(run.validation.accuracy),
    testLoss: figure(result.testLoss),
    testPerplexity: figure(result.testPerplexity),
    testAccuracy: figure(result.testAccuracy),
    secondsPerStep: figure(secondsPerStep(run.lines)),
    seconds: figure(result.seconds),
    peakMemoryBytes: result.peakMemoryBytes,
    model: environment.model,
    device: environment.device,
    machine: environment.machine,
    node: environment.node,
    versions: environment.versions,
    finished: environment.date,
    occasions: occasions.of(run.name),
  };
}

/** Each step of the final runs: `{ rule, step, training, validation }`, validation where the run was evaluated. */
function lossesOf(finished) {
  return finished.flatMap(({ rule, lines }) => {
    const validation = new Map(
      lines
        .filter(({ type, split }) => type === 'evaluation' && split === 'validation')
        .map((line) => [line.step, line.loss]),
    );
    return lines
      .filter(({ type }) => type === 'step')
      .map(({ step, loss }) => ({
        rule,
        step,
        training: figure(loss),
        validation: figure(validation.get(step) ?? Number.NaN),
      }));
  });
}
