import { statSync } from 'node:fs';
import { basename, dirname, extname, resolve } from 'node:path';
import { didYouMean } from '@lmd/core';
import { UsageError } from '../errors.js';
import { locateModules } from '../modules/locate.js';
import { presets } from '../presets/index.js';
import { expandPreset } from './expand-preset.js';
import { configurationError } from './explain.js';
import { parseJsonFile, reasonOf } from './json-file.js';
import { applyOverrides } from './overrides.js';
import { type Configuration, configurationSchema } from './schema.js';
import { withShortWarmup } from './short-warmup.js';

/**
 * Validates a raw configuration and fills in defaults. Errors begin with `origin`, the path of a file or the name of a
 * preset.
 */
export function parseConfiguration(raw: unknown, origin: string): Configuration {
  const result = configurationSchema.safeParse(raw);
  if (!result.success) throw configurationError(configurationSchema, raw, result.error, origin);
  return result.data;
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
}

/**
 * Reads a JSON file. Throws a `UsageError` that names the file and the problem.
 *
 * @param remedy for a file that is no configuration.
 */
export function readJsonFile(
  path: string,
  remedy = 'Correct the file, or start from a preset. Files of text to train on end in .txt, .md or .jsonl.',
): unknown {
  try {
    return parseJsonFile(path);
  } catch (cause) {
    throw new UsageError('INVALID_ARGUMENT', `${path} is not a readable JSON file: ${reasonOf(cause)}.`, {
      subject: path,
      remedy,
      cause,
    });
  }
}

interface RawConfiguration {
  readonly raw: object;
  readonly origin: string;
  /** The preset that has the optimizers. */
  readonly preset?: keyof typeof presets;
}

function rawConfiguration(source: string): RawConfiguration {
  if (Object.hasOwn(presets, source)) {
    const preset = source as keyof typeof presets;
    return { raw: presets[preset], origin: `Preset ${source}`, preset };
  }
  if (!isFile(source)) {
    const names = Object.keys(presets);
    throw new UsageError('INVALID_ARGUMENT', `${source} is neither a preset nor a file.${didYouMean(source, names)}`, {
      subject: 'configuration',
      value: source,
      remedy: `Use the path of a JSON file, of a folder of images or text, or a preset: ${names.join(', ')}.`,
    });
  }
  const raw = readJsonFile(source);
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) {
    throw new UsageError('INVALID_ARGUMENT', `${source} does not contain a JSON object.`, {
      subject: source,
      value: raw,
      remedy: 'A configuration is an object with the keys of CONFIGURATION.md, such as {"steps": 100, …}.',
    });
  }
  const name = basename(source, extname(source))
    .replace(/[^A-Za-z0-9_-]+/g, '-')
    .replace(/^[-_]+/, '');
  // Modules of a file are relative to it, those of --set to the working directory.
  const located = expandPreset(locateModules(raw, dirname(resolve(source)), source), source);
  const named = { name: name === '' ? 'run' : name, ...located };
  const isOfPreset = 'preset' in raw && !('optimizers' in raw);
  return { raw: named, origin: source, ...(isOfPreset ? { preset: raw.preset as keyof typeof presets } : {}) };
}

/** A raw configuration with `--set` assignments, whose modules are relative to the working directory. */
export function withOverrides(raw: object, assignments: readonly string[], origin: string): object {
  return locateModules(applyOverrides(raw, assignments) as object, process.cwd(), origin);
}

/** The validated, complete configuration of a preset or a file, with `--set` assignments applied. */
export function loadConfiguration(source: string, assignments: readonly string[] = []): Configuration {
  const { raw, origin, preset } = rawConfiguration(source);
  const own = withOverrides(raw, assignments, origin);
  const isOwnWarmup = preset === undefined || assignments.some((assignment) => assignment.includes('warmup'));
  return parseConfiguration(isOwnWarmup ? own : withShortWarmup(own, presets[preset]), origin);
}
