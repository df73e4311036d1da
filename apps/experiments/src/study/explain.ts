import { z } from 'zod';
import { StudyError } from '../errors.js';
import { didYouMean } from './suggest.js';

type Issue = z.core.$ZodIssue;

function showPath(path: readonly PropertyKey[]): string {
  return path.length === 0 ? 'the study' : path.map(String).join('.');
}

function valueAt(root: unknown, path: readonly PropertyKey[]): unknown {
  let value = root;
  for (const key of path) value = (value as Record<PropertyKey, unknown> | undefined | null)?.[key];
  return value;
}

const longest = 120;

function show(value: unknown): string {
  const text = value === undefined ? 'nothing' : (JSON.stringify(value) ?? typeof value);
  return text.length <= longest ? text : `${text.slice(0, longest - 1)}…`;
}

/** A word is near another; an object is near none. */
function suggestion(value: unknown, allowed: readonly string[]): string {
  return typeof value === 'string' ? didYouMean(value, allowed) : '';
}

/** The keys that the schema allows at `path`. */
function allowedKeys(schema: z.core.$ZodType, root: unknown, path: readonly PropertyKey[]): string[] {
  let inner = schema;
  while (inner instanceof z.ZodOptional || inner instanceof z.ZodDefault || inner instanceof z.ZodPrefault) {
    inner = inner.unwrap();
  }
  if (inner instanceof z.ZodDiscriminatedUnion) {
    const tag = inner.def.discriminator;
    const fitting = inner.options.find(
      (option) => option instanceof z.ZodObject && option.shape[tag]?.safeParse(valueAt(root, [tag])).success,
    );
    return fitting === undefined ? [tag] : allowedKeys(fitting, root, path);
  }
  const [key, ...rest] = path;
  if (inner instanceof z.ZodArray) return allowedKeys(inner.element, valueAt(root, [key!]), rest);
  if (inner instanceof z.ZodRecord) {
    return key === undefined ? [] : allowedKeys(inner.valueType, valueAt(root, [key]), rest);
  }
  if (!(inner instanceof z.ZodObject)) return [];
  if (key === undefined) return Object.keys(inner.shape);
  const next = inner.shape[String(key)];
  return next === undefined ? [] : allowedKeys(next, valueAt(root, [key]), rest);
}

function bound(issue: Extract<Issue, { code: 'too_small' | 'too_big' }>): string {
  const lower = issue.code === 'too_small';
  const limit = String(lower ? issue.minimum : issue.maximum);
  if (issue.origin === 'array') return `needs at ${lower ? 'least' : 'most'} ${limit} entries`;
  const edge = issue.inclusive === false ? (lower ? 'above' : 'below') : lower ? 'at least' : 'at most';
  return `must be ${edge} ${limit}`;
}

function describe(schema: z.core.$ZodType, root: unknown, issue: Issue): string[] {
  const value = valueAt(root, issue.path);
  const subject = showPath(issue.path);
  switch (issue.code) {
    case 'unrecognized_keys': {
      const allowed = allowedKeys(schema, root, issue.path);
      return issue.keys.map(
        (key) =>
          `${showPath([...issue.path, key])} is not a known key.${didYouMean(key, allowed)} Allowed: ${allowed.join(', ')}.`,
      );
    }
    case 'invalid_value':
      return [
        `${subject} = ${show(value)} is not allowed.${suggestion(value, issue.values.map(String))} Allowed: ${issue.values.map(String).join(', ')}.`,
      ];
    case 'invalid_union': {
      const allowed = 'options' in issue && Array.isArray(issue.options) ? issue.options.map(String) : [];
      const hint = allowed.length === 0 ? '' : `${suggestion(value, allowed)} Allowed: ${allowed.join(', ')}.`;
      return [`${subject} = ${show(value)} is not allowed.${hint}`];
    }
    case 'invalid_type':
      return [
        value === undefined
          ? `${subject} is missing; expected: ${issue.expected}.`
          : `${subject} = ${show(value)} has the wrong type; expected: ${issue.expected}.`,
      ];
    case 'too_small':
    case 'too_big':
      return [`${subject} = ${show(value)} ${bound(issue)}.`];
    default:
      return [`${subject} ${issue.message}${issue.message.endsWith('.') ? '' : '.'}`];
  }
}

/** The typed error for what zod found: every wrong key with its value, the allowed ones, and the nearest. */
export function schemaError(schema: z.core.$ZodType, root: unknown, error: z.core.$ZodError, origin: string) {
  const lines = error.issues.flatMap((issue) => describe(schema, root, issue));
  const first = error.issues[0]!;
  const unknown = first.code === 'unrecognized_keys';
  const path = unknown ? [...first.path, first.keys[0]!] : first.path;
  return new StudyError(
    unknown ? 'UNKNOWN_OPTION' : 'INVALID_ARGUMENT',
    lines.length === 1
      ? `${origin}: ${lines[0]}`
      : `${origin} is wrong in ${lines.length} places:\n${lines.map((line) => `  - ${line}`).join('\n')}\n`,
    { subject: showPath(path), value: valueAt(root, path), remedy: 'Correct the study and run it again.' },
  );
}
