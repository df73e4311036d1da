import { readFileSync } from 'node:fs';
import { isLmdError } from '@lmd/core';
import { StudyError } from '../errors.js';
import { schemaError } from './explain.js';
import { checkModels } from './models.js';
import { createOptimizer, type RuleOptions, rules } from './rules.js';
import { type Dimension, type Study, studySchema } from './schema.js';
import { didYouMean } from './suggest.js';

/**
 * Checks a study and fills in its defaults.
 *
 * @param origin begins the error message: the file's path.
 * @throws StudyError `UNKNOWN_OPTION` or `INVALID_ARGUMENT`, naming every wrong key, its value and what is allowed.
 */
export function parseStudy(raw: unknown, origin: string): Study {
  const result = studySchema.safeParse(raw);
  if (!result.success) throw schemaError(studySchema, raw, result.error, origin);
  checkStudy(result.data, origin);
  checkModels(result.data, origin);
  return result.data;
}

/**
 * Reads a study from a JSON file.
 *
 * @throws StudyError as `parseStudy`, and for a file that is not there or no JSON.
 */
export function loadStudy(path: string): Study {
  let raw: unknown;
  try {
    raw = JSON.parse(readFileSync(path, 'utf8').replace(/^\ufeff/, ''));
    if (isDeeperThan(raw, deepest)) throw new Error(`its values are nested more than ${deepest} deep`);
  } catch (cause) {
    const reason = (cause instanceof Error ? cause.message : String(cause)).replace(/\.$/, '');
    throw new StudyError('INVALID_ARGUMENT', `${path} is not a readable JSON file: ${reason}.`, {
      subject: path,
      remedy: 'Use the path of a study, such as studies/fashion-mnist.json.',
      cause,
    });
  }
  return parseStudy(raw, path);
}

/** Deeper than any study; far less than what overflows a stack. */
const deepest = 64;

function isDeeperThan(value: unknown, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return depth === 0 || Object.values(value).some((inner) => isDeeperThan(inner, depth - 1));
}

function refuse(origin: string, subject: string, value: unknown, message: string, remedy: string): never {
  throw new StudyError('INVALID_ARGUMENT', `${origin}: ${subject} = ${JSON.stringify(value)} ${message}.`, {
    subject,
    value,
    remedy,
  });
}

/** What no single key shows: names that refer to each other, and options that only the rules can judge. */
function checkStudy(study: Study, origin: string): void {
  const names = study.rules.map(({ name }) => name);
  const known = (subject: string, name: string) => {
    if (names.includes(name)) return;
    refuse(origin, subject, name, `names no rule.${didYouMean(name, names)}`, `The rules are ${names.join(', ')}.`);
  };
  names.forEach((name, index) => {
    if (names.indexOf(name) !== index) refuse(origin, `rules.${index}.name`, name, 'is there twice', 'Rename one.');
  });
  study.formats.forEach((format, index) => {
    if (study.formats.indexOf(format) !== index) {
      refuse(origin, `formats.${index}`, format, 'is there twice', 'Remove one.');
    }
  });
  study.rules.forEach((rule, index) => {
    const at = `rules.${index}`;
    if (rule.search.learningRate === undefined) {
      refuse(origin, `${at}.search`, Object.keys(rule.search), 'lacks learningRate', 'Every rule is searched over it.');
    }
    for (const key of Object.keys(rule.search)) {
      if (Object.hasOwn(rule.options, key)) {
        refuse(
          origin,
          `${at}.options.${key}`,
          rule.options[key],
          'is searched as well',
          'Remove it from one of the two.',
        );
      }
    }
    // The ends and the choices of each dimension, one at a time, so that no point of the space can be refused later.
    for (const options of corners(rule.options, rule.search)) checkOptions(study, rule.rule, options, at, origin);
  });
  if (study.subject !== undefined) known('subject', study.subject);
  const { ablation, governs } = study;
  if (ablation !== undefined) {
    known('ablation.rule', ablation.rule);
    const { rule, options, search } = study.rules.find(({ name }) => name === ablation.rule)!;
    ablation.variants.forEach((variant, index) => {
      const merged = { ...corners(options, search)[0]!, ...variant.options };
      checkOptions(study, rule, merged, `ablation.variants.${index}.options`, origin);
      for (const [option, factor] of Object.entries(variant.factors)) {
        if (typeof merged[option] === 'number') continue;
        const numbers = Object.keys(merged).filter((key) => typeof merged[key] === 'number');
        const subject = `ablation.variants.${index}.factors.${option}`;
        const remedy = `Numbers among the options are ${numbers.join(', ')}.`;
        refuse(origin, subject, factor, `multiplies no number.${didYouMean(option, numbers)}`, remedy);
      }
    });
  }
  if (governs === undefined) return;
  governs.rules.forEach((name, index) => {
    known(`governs.rules.${index}`, name);
  });
  governs.variants.forEach((variant, index) => {
    const at = `governs.variants.${index}`;
    for (const name of variant.rules ?? []) known(`${at}.rules`, name);
    for (const [name, replaced] of Object.entries(variant.options)) {
      known(`${at}.options`, name);
      const { rule, options, search } = study.rules.find((candidate) => candidate.name === name)!;
      checkOptions(study, rule, { ...corners(options, search)[0]!, ...replaced }, `${at}.options.${name}`, origin);
    }
  });
}

function corners(fixed: RuleOptions, search: { readonly [key: string]: Dimension }): RuleOptions[] {
  const values = Object.entries(search).map(
    ([key, { minimum, maximum, choices }]) => [key, choices ?? [minimum!, maximum!]] as const,
  );
  const first = { ...fixed, ...Object.fromEntries(values.map(([key, options]) => [key, options[0]!])) };
  return [first, ...values.flatMap(([key, options]) => options.slice(1).map((value) => ({ ...first, [key]: value })))];
}

function checkOptions(study: Study, rule: keyof typeof rules, options: RuleOptions, at: string, origin: string): void {
  const allowed: readonly string[] = rules[rule].options;
  for (const key of Object.keys(options)) {
    if (allowed.includes(key)) continue;
    throw new StudyError(
      'UNKNOWN_OPTION',
      `${origin}: ${at}: ${rule} has no option ${key}.${didYouMean(key, allowed)}`,
      {
        subject: `${at}.${key}`,
        value: options[key],
        remedy: `Its options are ${allowed.join(', ')}.`,
      },
    );
  }
  try {
    createOptimizer({ rule, options, rest: study.rest, warmup: 0, steps: 1 });
  } catch (cause) {
    if (!isLmdError(cause)) throw cause;
    throw new StudyError('INVALID_ARGUMENT', `${origin}: ${at}: ${cause.message}`, {
      subject: `${at}.${cause.subject ?? ''}`,
      value: cause.value,
      cause,
    });
  }
}
