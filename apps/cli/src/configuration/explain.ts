import { didYouMean, unknownOption } from '@lmd/core';
import type { z } from 'zod';
import { UsageError } from '../errors.js';
import { showValue } from '../output/show.js';
import { allowedKeys, type Path, showPath, valueAt } from './walk.js';

type Issue = z.core.$ZodIssue;

function list(values: readonly unknown[]): string {
  return values.map((value) => (typeof value === 'string' ? value : showValue(value))).join(', ');
}

/** Suggests the closest allowed value for a string. */
function suggestion(value: unknown, allowed: readonly unknown[]): string {
  return typeof value === 'string' ? didYouMean(value, allowed.map(String)) : '';
}

/** What a file name without a folder lacks to be the path of a module. */
function asPath(value: unknown): string {
  return typeof value === 'string' && /\.[cm]?js$/.test(value)
    ? ` The path of a module begins with ./: ./${value}.`
    : '';
}

interface Finding {
  readonly unknownKey: boolean;
  readonly path: Path;
  readonly value: unknown;
  readonly text: string;
}

function bound(issue: {
  minimum?: unknown;
  maximum?: unknown;
  inclusive?: boolean | undefined;
  origin: string;
}): string {
  const lower = issue.minimum !== undefined;
  const relation = lower
    ? issue.inclusive === false
      ? 'more than'
      : 'at least'
    : issue.inclusive === false
      ? 'less than'
      : 'at most';
  const limit = String(lower ? issue.minimum : issue.maximum);
  if (issue.origin === 'array') return `has too ${lower ? 'few' : 'many'} entries; allowed: ${relation} ${limit}`;
  if (issue.origin === 'string') return `has the wrong length; allowed: ${relation} ${limit} characters`;
  return `is out of range; allowed: ${relation} ${limit}`;
}

function explainIssue(schema: z.core.$ZodType, root: unknown, issue: Issue): Finding[] {
  const value = valueAt(root, issue.path);
  const subject = `${showPath(issue.path)} = ${showValue(value)}`;
  const finding = (text: string): Finding[] => [{ unknownKey: false, path: issue.path, value, text }];
  switch (issue.code) {
    case 'unrecognized_keys': {
      const allowed = allowedKeys(schema, root, issue.path);
      return issue.keys.map((key) => {
        const path = [...issue.path, key];
        return {
          unknownKey: true,
          path,
          value: valueAt(root, path),
          text: unknownOption(showPath(issue.path), key, undefined, allowed).message,
        };
      });
    }
    case 'invalid_value':
      return finding(`${subject} is not allowed.${suggestion(value, issue.values)} Allowed: ${list(issue.values)}.`);
    case 'invalid_union': {
      const allowed = 'options' in issue && Array.isArray(issue.options) ? issue.options : [];
      // The message of a union of types states what is allowed.
      if (allowed.length === 0) return finding(`${subject} ${issue.message}`);
      const remedy = allowed.includes('module') ? asPath(value) : '';
      return finding(`${subject} is not allowed.${suggestion(value, allowed)} Allowed: ${list(allowed)}.${remedy}`);
    }
    case 'invalid_type':
      return finding(
        value === undefined
          ? `${showPath(issue.path)} is missing; expected: ${issue.expected}.`
          : `${subject} has the wrong type; expected: ${issue.expected === 'int' ? 'a whole number' : issue.expected}.`,
      );
    case 'too_small':
    case 'too_big':
      return finding(`${subject} ${bound(issue)}.`);
    default: {
      // Custom checks, whose messages are predicates: `is missing. …`, `is the name of two optimizers. …`.
      const named = value === undefined ? showPath(issue.path) : subject;
      return finding(`${named} ${issue.message}${issue.message.endsWith('.') ? '' : '.'}`);
    }
  }
}

/** Converts the issues of zod to a typed error: every invalid key with its value and the allowed values. */
export function configurationError(
  schema: z.core.$ZodType,
  root: unknown,
  error: z.core.$ZodError,
  origin: string,
): UsageError {
  const findings = error.issues.flatMap((issue) => explainIssue(schema, root, issue));
  const [first] = findings;
  const details = first === undefined ? {} : { subject: showPath(first.path), value: first.value };
  const code = first?.unknownKey ? 'UNKNOWN_OPTION' : 'INVALID_ARGUMENT';
  const message =
    findings.length === 1
      ? `${origin}: ${first!.text}`
      : `${origin} has ${findings.length} errors:\n${findings.map(({ text }) => `  - ${text}`).join('\n')}`;
  return new UsageError(code, message, details);
}
