import { UsageError } from '../errors.js';

const units: Readonly<Record<string, number>> = {
  '': 1,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
};

/**
 * `500MB` as a number of bytes.
 *
 * @param option that has the text: `--shard-size`.
 * @throws UsageError for other units, and for less than one byte.
 */
export function byteCount(text: string, option: string): number {
  const [, digits, unit] = /^(\d+(?:\.\d+)?) ?([KMG]i?B)?$/.exec(text) ?? [];
  const bytes = Math.floor(Number(digits) * units[unit ?? '']!);
  if (digits !== undefined && Number.isSafeInteger(bytes) && bytes >= 1) return bytes;
  throw new UsageError('INVALID_ARGUMENT', `${option} ${text} is not allowed.`, {
    subject: option,
    value: text,
    remedy: 'Use a number of bytes, such as 500MB, 2GiB or 1000000.',
  });
}
