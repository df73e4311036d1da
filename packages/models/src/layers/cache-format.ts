import { type BlockFormat, canCodeRows, LmdError, showValue } from '@lmd/core';
import { formats, validateBlockFormat } from '@lmd/mx-formats';

/** The names of the formats of `@lmd/mx-formats` in which `generate` can keep keys and values. */
export const cacheFormatNames: readonly string[] = Object.values(formats as { readonly [name: string]: BlockFormat })
  .filter(canCodeRows)
  .map(({ name }) => name);

/**
 * Refuses what cannot be the format of a cache, before anything is computed.
 *
 * @throws LmdError `INVALID_ARGUMENT` for what is no block format, `UNSUPPORTED` for scales that are no powers of two
 */
export function checkCacheFormat(format: BlockFormat): void {
  const remedy =
    'Use a format of OCP MX in @lmd/mx-formats, such as formats.mxint8: elements of 4 to 8 bits, and scales that ' +
    'are powers of two.';
  try {
    validateBlockFormat(format);
  } catch (cause) {
    const message = `cacheFormat is ${showValue(format)}, which is no block format.`;
    throw new LmdError('INVALID_ARGUMENT', message, { subject: 'cacheFormat', value: format, remedy, cause });
  }
  const { name, scale } = format;
  if (canCodeRows(format)) return;
  throw new LmdError('UNSUPPORTED', `cacheFormat is "${name}", with scales of kind "${scale}".`, {
    subject: 'cacheFormat',
    value: name,
    remedy,
  });
}
