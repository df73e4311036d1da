import { describeValue, LmdError, type OptionsOf, type OptionTable, option } from '@lmd/core';

const isFiniteNumber = (value: unknown): boolean => typeof value === 'number' && Number.isFinite(value);
const isPositive = (value: unknown): boolean => isFiniteNumber(value) && (value as number) > 0;

function perChannel(describe: string, number: string, check: (value: unknown) => boolean) {
  return option.value<number | readonly number[]>({
    describe,
    allowed: `one ${number} number, or one a channel`,
    check: (value) => check(value) || (Array.isArray(value) && value.every(check)),
  });
}

/** How bytes of images become inputs, declared once. */
export const normalizationOptionTable = {
  /** Mean of the pixels, on a scale from 0 to 1. Default: 0. One finite number, or one a channel. */
  mean: perChannel('Mean of the pixels, on a scale from 0 to 1. Default: 0.', 'finite', isFiniteNumber),
  /** Standard deviation of the pixels, on a scale from 0 to 1. Default: 1. One positive number, or one a channel. */
  standardDeviation: perChannel(
    'Standard deviation of the pixels, on a scale from 0 to 1. Default: 1.',
    'positive',
    isPositive,
  ),
} as const satisfies OptionTable;

/**
 * [channels, 256]: the normalised value of each byte, (byte / 255 − mean) / standardDeviation.
 *
 * @throws LmdError `INVALID_ARGUMENT` for another count of numbers than one or one a channel.
 */
export function normalizationTable(
  owner: string,
  channels: number,
  { mean = 0, standardDeviation = 1 }: OptionsOf<typeof normalizationOptionTable>,
): Float32Array {
  const means = numbersOf(owner, 'mean', mean, channels);
  const deviations = numbersOf(owner, 'standardDeviation', standardDeviation, channels);
  const table = new Float32Array(channels * 256);
  for (let k = 0; k < table.length; k++) table[k] = ((k & 255) / 255 - means[k >> 8]!) / deviations[k >> 8]!;
  return table;
}

function numbersOf(owner: string, name: string, value: number | readonly number[], channels: number) {
  const values = typeof value === 'number' ? new Array<number>(channels).fill(value) : value;
  if (values.length === channels) return values;
  throw new LmdError('INVALID_ARGUMENT', `${owner}: ${name} is ${describeValue(value)}.`, {
    subject: name,
    value,
    remedy: `Use one number, or ${channels}, one per channel.`,
  });
}
