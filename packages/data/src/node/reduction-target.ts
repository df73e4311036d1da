import { resolveOptions } from '@lmd/core';
import type { ReductionTarget } from '../images/image.js';
import { type PreprocessingOptions, preprocessingOptionTable } from '../images/preprocessing.js';

/**
 * The input for which images are decoded at a reduced size; undefined if they are decoded in full.
 *
 * @param owner name of the public function, for errors.
 */
export function reductionTarget(
  owner: string,
  preprocessing: PreprocessingOptions | undefined,
): ReductionTarget | undefined {
  if (preprocessing === undefined) return undefined;
  const checked = resolveOptions(owner, preprocessingOptionTable, preprocessing);
  const { height, width, fit, cropFraction, decoding } = checked;
  return decoding === 'reduced' ? { height, width, fit, cropFraction } : undefined;
}
