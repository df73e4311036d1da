import { describeValue, LmdError } from '../errors.js';

/**
 * Refuses what is not a record, and any name outside `known`: a misspelt option must not be a default in disguise. Every package that rests
 * on core refuses an unknown option by this function, so that the wording is one.
 *
 * @throws LmdError `INVALID_ARGUMENT` for anything but a record; `UNKNOWN_OPTION` naming the option, its value and the known ones.
 */
export function refuseUnknownOptions(owner: string, options: unknown, known: readonly string[]): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new LmdError('INVALID_ARGUMENT', `${owner}: the options are ${describeValue(options)}.`, {
      subject: 'options',
      value: options,
      remedy: `Give a record with any of: ${known.join(', ')}.`,
    });
  }
  for (const name in options) {
    if (known.includes(name)) continue;
    const near = nearestName(name, known);
    const suggestion = near === undefined ? '' : ` Did you mean "${near}"?`;
    throw new LmdError('UNKNOWN_OPTION', `${owner} has no option ${describeValue(name)}.${suggestion}`, {
      subject: name,
      value: (options as Record<string, unknown>)[name],
      remedy: known.length === 0 ? 'It has none.' : `Its options are ${known.join(', ')}.`,
    });
  }
}

/** No option is longer; to compare longer texts takes long. */
const longestName = 64;

/** The known name that few letters tell from `typed`, case ignored: a third of them, as two that changed places count twice. */
function nearestName(typed: string, known: readonly string[]): string | undefined {
  if (typed.length > longestName) return undefined;
  let best: { readonly name: string; readonly edits: number } | undefined;
  for (const name of known) {
    const edits = editDistance(typed.toLowerCase(), name.toLowerCase());
    if (edits <= Math.floor(typed.length / 3) && edits < (best?.edits ?? Infinity)) best = { name, edits };
  }
  return best?.name;
}

/** Letters to insert, remove or replace, by rows of Wagner and Fischer's table. */
function editDistance(a: string, b: string): number {
  let above = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const replaced = above[column - 1]! + (a[row - 1] === b[column - 1] ? 0 : 1);
      current.push(Math.min(replaced, above[column]! + 1, current[column - 1]! + 1));
    }
    above = current;
  }
  return above[b.length]!;
}
