import { checkDistributed, configurationError, parseConfiguration, readJsonFile, UsageError } from '@lmd/cli';
import { isLmdError } from '@lmd/core';
import type { Trial } from '../plan/trial.js';
import { searchTrials, standInOptions, trialsOf } from '../plan/trials.js';
import { partNames, type Study, studySchema } from './schema.js';

/**
 * Checks a study and fills in its defaults. The configuration and the options of every optimizer are checked like in
 * `lmd train`, at the ends of every dimension of a search.
 *
 * @param origin path of the file, which starts the error message.
 * @throws UsageError `UNKNOWN_OPTION` or `INVALID_ARGUMENT`, naming every invalid key, its value and what is allowed.
 */
export function parseStudy(raw: unknown, origin: string): Study {
  const result = studySchema.safeParse(raw);
  if (!result.success) throw configurationError(studySchema, raw, result.error, origin);
  checkNames(result.data, origin);
  checkTrials(result.data, origin);
  return result.data;
}

/**
 * Reads a study from a JSON file.
 *
 * @throws UsageError as `parseStudy`, and for a file that is missing or not JSON.
 */
export function loadStudy(path: string): Study {
  return parseStudy(readJsonFile(path, 'Correct the file, or start from one of apps/studies/studies.'), path);
}

function refuse(origin: string, subject: string, value: unknown, message: string, remedy: string): never {
  throw new UsageError('INVALID_ARGUMENT', `${origin}: ${subject} = ${JSON.stringify(value)} ${message}.`, {
    subject,
    value,
    remedy,
  });
}

/** Checks references between names. */
function checkNames(study: Study, origin: string): void {
  const names = study.optimizers.map(({ name }) => name);
  const known = (subject: string, name: string) => {
    if (!names.includes(name)) {
      refuse(origin, subject, name, 'is not an optimizer of the study', `The optimizers are ${names.join(', ')}.`);
    }
  };
  const twice = (subject: string, values: readonly unknown[] = []) => {
    for (const [index, value] of values.entries()) {
      if (values.indexOf(value) !== index) refuse(origin, subject, value, 'occurs twice', 'Remove or rename one.');
    }
  };
  twice('optimizers', names);
  twice('formats', study.formats);
  for (const part of ['final', 'sweep', 'ablation', 'governs'] as const) twice(`${part}.seeds`, study[part]?.seeds);
  for (const { name, search, options } of study.optimizers) {
    const at = `optimizers.${name}`;
    if (search.learningRate === undefined) {
      refuse(origin, `${at}.search`, Object.keys(search), 'lacks learningRate', 'Every optimizer is searched over it.');
    }
    for (const key of Object.keys(search)) {
      if (!Object.hasOwn(options, key)) continue;
      refuse(origin, `${at}.options.${key}`, options[key], 'is also searched', 'Remove it from one of the two.');
    }
  }
  const { subject, ablation, governs } = study;
  if (subject !== undefined) known('subject', subject);
  if (ablation !== undefined) {
    known('ablation.optimizer', ablation.optimizer);
    checkFactors(study, ablation, origin);
  }
  for (const name of governs?.optimizers ?? []) known('governs.optimizers', name);
  for (const variant of governs?.variants ?? []) {
    const at = `governs.variants.${variant.name}`;
    for (const name of variant.optimizers ?? []) known(`${at}.optimizers`, name);
    for (const name of Object.keys(variant.options)) known(`${at}.options`, name);
  }
}

/** A factor must apply to a numeric option. */
function checkFactors(study: Study, { optimizer, variants }: NonNullable<Study['ablation']>, origin: string): void {
  const found = study.optimizers.find(({ name }) => name === optimizer)!;
  for (const variant of variants) {
    const options = { ...found.options, ...standInOptions(study)(found), ...variant.options };
    for (const [option, factor] of Object.entries(variant.factors)) {
      if (typeof options[option] === 'number') continue;
      const numbers = Object.keys(options).filter((key) => typeof options[key] === 'number');
      const subject = `ablation.variants.${variant.name}.factors.${option}`;
      refuse(origin, subject, factor, 'does not match a numeric option', `Numeric options are ${numbers.join(', ')}.`);
    }
  }
}

/**
 * Checks a trial of each part and variant, and every end and choice of a search, with the checks of `lmd train`, so
 * that none fails later.
 */
function checkTrials(study: Study, origin: string): void {
  const point = standInOptions(study);
  for (const trial of partNames.flatMap((part) => trialsOf(study, part, point))) checkTrial(trial, origin);
  for (const optimizer of study.optimizers) {
    for (const [option, { minimum, maximum, choices }] of Object.entries(optimizer.search)) {
      for (const value of choices ?? [minimum!, maximum!]) {
        const search = { ...optimizer.search, [option]: { scale: 'log' as const, choices: [value] } };
        const one = { ...study.search, trials: 1, rounds: 1 };
        const single = { ...study, optimizers: [{ ...optimizer, search }], search: one };
        for (const trial of searchTrials(single)) checkTrial(trial, origin);
      }
    }
  }
}

function checkTrial({ configuration, label, optimizer }: Trial, origin: string): void {
  try {
    const from = `${origin}: ${label}`;
    checkDistributed(parseConfiguration({ name: 'trial', ...configuration }, from), from);
  } catch (cause) {
    if (!isLmdError(cause)) throw cause;
    const message = cause.message.replaceAll('optimizers.0', `optimizers.${optimizer}`);
    const subject = cause.subject?.replace('optimizers.0', `optimizers.${optimizer}`);
    throw new UsageError(cause.code, message, {
      ...(subject === undefined ? {} : { subject }),
      value: cause.value,
      cause,
    });
  }
}
