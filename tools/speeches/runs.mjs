import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { sameText } from './data.mjs';
import { StudyError } from './errors.mjs';

const lockFile = 'run.lock';

/** Where two values of JSON differ first, as a path of keys; undefined where they do not. */
export function difference(a, b, path = '') {
  if (Object.is(a, b)) return undefined;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return { path, values: [a, b] };
  for (const key of new Set([...Object.keys(a), ...Object.keys(b)])) {
    const found = difference(a[key], b[key], path === '' ? key : `${path}.${key}`);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Two configurations that are written differently and mean the same: the one rule's format, where it has its own; the folder of the data. */
function canonical({
  precision,
  data: { folder: _, ...data },
  optimizers: [{ precision: own, ...optimizer }],
  ...rest
}) {
  return JSON.parse(JSON.stringify({ ...rest, data, format: own ?? precision, optimizer }));
}

/** The configuration that a run of the study must have, as `lmd train` completes it. */
export function wantedConfiguration({ loadConfiguration }, study, run, backend, data) {
  const assignments = Object.entries(assignmentsOf(run, backend, data)).map(([key, value]) => `${key}=${value}`);
  const whole = loadConfiguration(study.preset, assignments);
  return { ...whole, optimizers: whole.optimizers.filter(({ name }) => name === run.rule) };
}

export const assignmentsOf = (run, backend, data) => ({ ...run.assignments, backend, 'data.folder': data.folder });

/** The lines of a run's metrics; one that a kill has cut off is left out. */
export function metricsOf(folder, rule) {
  const path = join(folder, rule, 'metrics.jsonl');
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, 'utf8').split('\n');
  return lines.slice(0, -1).map((line) => JSON.parse(line));
}

const evaluationAt = (lines, step) =>
  lines.findLast((line) => line.type === 'evaluation' && line.split === 'validation' && line.step === step);

const jsonAt = (path) => (existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : undefined);

/** Where the tool notes that a run of the search has diverged. */
export const divergedPath = (folder) => join(folder, 'diverged.json');

/**
 * What stands in the folder of a run: `absent`, `begun`, or `done`, with its validation result. A run of the search is done when it is
 * scored or has diverged, a final one when it is finished.
 *
 * @throws StudyError where the folder holds anything else than this run of the study.
 */
export function readRun(built, study, run, { work, backend, data }) {
  const folder = join(work, run.name);
  const config = join(folder, 'config.json');
  const names = existsSync(folder)
    ? readdirSync(folder).filter((name) => !name.startsWith('.') && name !== lockFile)
    : [];
  if (names.length === 0) return { ...run, folder, state: 'absent' };
  const foreign = (what) =>
    new StudyError(
      `${folder} ${what}. Remove it, or name another folder with --work: it is not what this study runs.`,
      2,
    );
  if (!existsSync(config)) throw foreign('is no run folder of lmd train');
  let found;
  try {
    found = built.parseConfiguration(jsonAt(config), config);
  } catch (cause) {
    throw foreign(`holds no configuration of lmd train (${cause.message})`);
  }
  if (found.optimizers.length !== 1 || found.data.kind !== 'tokens') throw foreign('is a run of something else');
  const other = difference(canonical(found), canonical(wantedConfiguration(built, study, run, backend, data)));
  if (other !== undefined) {
    const [has, wanted] = other.values.map((value) => JSON.stringify(value));
    throw foreign(`is a run with ${other.path} = ${has}, and the study has ${wanted}`);
  }
  if (!sameText(found.data.folder, data)) throw foreign(`was trained on other text, that in ${found.data.folder}`);
  const base = { ...run, folder };
  if (existsSync(divergedPath(folder))) return { ...base, state: 'done', diverged: true };
  const summary = jsonAt(join(folder, 'summary.json'));
  if (run.part === 'final' && summary === undefined) return { ...base, state: 'begun' };
  const lines = metricsOf(folder, run.rule);
  const validation = evaluationAt(lines, run.scoreAt ?? run.steps);
  if (validation === undefined) return { ...base, state: 'begun' };
  return { ...base, state: 'done', lines, validation, summary };
}

/** Median seconds of a step: what lies between steps, such as an evaluation, is left out. */
export function secondsPerStep(lines) {
  const steps = lines.filter(({ type }) => type === 'step');
  const gaps = [];
  for (let i = 1; i < steps.length; i++) {
    const gap = steps[i].seconds - steps[i - 1].seconds;
    if (steps[i].step === steps[i - 1].step + 1 && gap > 0) gaps.push(gap);
  }
  gaps.sort((a, b) => a - b);
  return gaps.length === 0 ? undefined : gaps[gaps.length >> 1];
}

/** The run of a rule that the search found best. Throws where all have diverged. */
export function bestOf(searched, rule) {
  const usable = searched.filter((run) => run.rule === rule && !run.diverged);
  if (usable.length === 0) throw new StudyError(`Every run of ${rule} in the search has diverged.`);
  return usable.reduce((best, run) => (run.validation.loss < best.validation.loss ? run : best));
}
