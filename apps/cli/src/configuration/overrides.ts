import { UsageError } from '../errors.js';
import { presetKeys } from './model-schema.js';
import { showPath } from './walk.js';

type Container = Record<string, unknown>;

function isContainer(value: unknown): value is Container {
  return typeof value === 'object' && value !== null;
}

/** Parses JSON (numbers, true, null, lists, objects), and returns other text unchanged. */
function parseValue(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** An entry of an array is selected by its index or by its `name`. */
function resolveKey(container: unknown, key: string, path: readonly string[], assignment: string): string {
  if (!Array.isArray(container)) return key;
  const names = container.map((entry) => (isContainer(entry) ? entry.name : undefined));
  const byName = names.indexOf(key);
  if (byName >= 0) return String(byName);
  if (/^\d+$/.test(key) && Number(key) <= container.length) return key;
  const known = names.map((name, index) => (typeof name === 'string' ? name : String(index)));
  throw new UsageError('UNKNOWN_OPTION', `--set ${assignment}: ${showPath(path)} has no entry ${key}.`, {
    subject: [...path, key].join('.'),
    value: key,
    remedy: `Use one of its entries: ${known.join(', ')}.`,
  });
}

/** An assigned preset replaces the sizes of the configuration, which would otherwise override those of the preset. */
function dropSizes(root: unknown): void {
  const model = isContainer(root) ? root.model : undefined;
  if (!isContainer(model)) return;
  for (const key of presetKeys) delete model[key];
}

/**
 * Applies `key=value` assignments, in order, to a copy of a raw configuration. Keys are dotted paths; values are JSON
 * or plain text. The schema then checks whether the keys exist. `model.preset=` replaces the sizes of the
 * configuration.
 */
export function applyOverrides(raw: unknown, assignments: readonly string[]): unknown {
  const root = structuredClone(raw);
  if (assignments.some((assignment) => assignment.startsWith('model.preset='))) dropSizes(root);
  for (const assignment of assignments) {
    const separator = assignment.indexOf('=');
    const keys = assignment.slice(0, Math.max(0, separator)).split('.');
    if (separator < 1 || keys.some((key) => key === '' || key === '__proto__')) {
      throw new UsageError('INVALID_ARGUMENT', `--set ${assignment} is not an assignment.`, {
        subject: '--set',
        value: assignment,
        remedy: 'Write --set key=value, for example --set steps=200 or --set optimizers.lmd.noise=0.1.',
      });
    }
    let container: unknown = root;
    for (const [depth, key] of keys.entries()) {
      const path = keys.slice(0, depth);
      if (!isContainer(container)) {
        throw new UsageError(
          'INVALID_ARGUMENT',
          `--set ${assignment}: ${showPath(path)} is not an object and has no keys.`,
          {
            subject: showPath(path),
            value: container,
            remedy: 'Set this key itself.',
          },
        );
      }
      const resolved = resolveKey(container, key, path, assignment);
      if (depth === keys.length - 1) container[resolved] = parseValue(assignment.slice(separator + 1));
      else {
        // plugins.0 and samples.prompts.0 begin a list.
        container[resolved] ??= keys[depth + 1] === '0' ? [] : {};
        container = container[resolved];
      }
    }
  }
  return root;
}
