import type { BlockFormat } from '@lmd/core';
import { validateBlockFormat } from '@lmd/mx-formats';

const checked = new WeakSet<BlockFormat>();

/**
 * Checks a format's record once, for kernels that read its fields themselves: an inconsistent one is refused as
 * `@lmd/mx-formats` refuses it.
 *
 * @throws MxFormatError naming the field
 */
export function checkFormatRecord(format: BlockFormat): void {
  if (checked.has(format)) return;
  validateBlockFormat(format);
  checked.add(format);
}
