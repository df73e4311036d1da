import { distance } from 'fastest-levenshtein';
import { describeValue, LmdError } from '../errors.js';

/**
 * Throws for anything but a record, and for names outside `known`, so that a misspelt option is not silently replaced
 * by its default. All packages use this function, so that the wording is the same.
 *
 * @throws LmdError `INVALID_ARGUMENT` for anything but a record; `UNKNOWN_OPTION` naming the option and the known ones.
 */
export function refuseUnknownOptions(owner: string, options: unknown, known: readonly string[]): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new LmdError('INVALID_ARGUMENT', `${owner}: the options are ${describeValue(options)}.`, {
      subject: 'options',
      value: options,
      remedy: `Pass a record with any of: ${known.join(', ')}.`,
    });
  }
  for (const name in options) {
    if (known.includes(name)) continue;
    throw unknownOption(owner, name, (options as Record<string, unknown>)[name], known);
  }
}

/** The error for an unknown name, for functions and for the command line. */
export function unknownOption(owner: string, name: string, value: unknown, known: readonly string[]): LmdError {
  return new LmdError('UNKNOWN_OPTION', `${owner} has no option ${describeValue(name)}.${didYouMean(name, known)}`, {
    subject: name,
    value,
    remedy: known.length === 0 ? 'It has none.' : `Its options are ${known.join(', ')}.`,
  });
}

/** Longest name that is compared; no option is longer, and comparing long strings is slow. */
const longestName = 64;

/** The known name closest to `typed`, ignoring case; undefined if none is similar. */
function nearestName(typed: string, known: readonly string[]): string | undefined {
  if (typed === '' || typed.length > longestName) return undefined;
  const lower = typed.toLowerCase();
  const [best] = known
    // A name that starts with the typed one is closer than any misspelling.
    .map((name) => ({ name, edits: name.toLowerCase().startsWith(lower) ? 0 : distance(lower, name.toLowerCase()) }))
    .sort((a, b) => a.edits - b.edits);
  // A third of the letters may differ. Two that changed places count as two.
  return best !== undefined && best.edits <= Math.ceil(typed.length / 3) ? best.name : undefined;
}

/** ` Did you mean "size"?`, to append to a sentence; empty if no name is similar. */
export function didYouMean(typed: string, known: readonly string[]): string {
  const near = nearestName(typed, known);
  return near === undefined ? '' : ` Did you mean "${near}"?`;
}
