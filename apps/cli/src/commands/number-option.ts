import { UsageError } from '../errors.js';

export interface NumberRange {
  readonly least?: number;
  readonly above?: number;
  readonly most?: number;
  readonly below?: number;
  readonly whole?: boolean;
}

/** Parses the number of an option. Throws a `UsageError` that states what is allowed. */
export function numberOption(option: string, text: string, range: NumberRange): number {
  const { least = -Infinity, above = -Infinity, most = Infinity, below = Infinity, whole = false } = range;
  const value = text.trim() === '' ? Number.NaN : Number(text);
  const isWhole = !whole || Number.isSafeInteger(value);
  if (Number.isFinite(value) && value >= least && value > above && value <= most && value < below && isWhole)
    return value;
  const bounds = [
    range.least === undefined ? '' : `of at least ${least}`,
    range.above === undefined ? '' : `above ${above}`,
    range.most === undefined ? '' : `of at most ${most}`,
    range.below === undefined ? '' : `below ${below}`,
  ].filter((bound) => bound !== '');
  throw new UsageError('INVALID_ARGUMENT', `${option} ${text} is not allowed.`, {
    subject: option,
    value: text,
    remedy: `Use a ${whole ? 'whole ' : ''}number ${bounds.join(' and ')}.`.replace(' .', '.'),
  });
}
