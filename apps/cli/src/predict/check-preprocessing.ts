import { LmdError } from '@lmd/core';
import type { ModelFile } from '@lmd/inference';

/**
 * Checks that a model says how an image becomes its input. Its description lacks that after a training on data that are
 * no images. A model without a description is left to `loadOpenModel`.
 *
 * @throws LmdError `UNSUPPORTED`
 */
export function checkPreprocessing(file: ModelFile): void {
  const description = file.describe();
  if (description === undefined || description.preprocessing !== undefined) return;
  throw new LmdError('UNSUPPORTED', `${file.path} does not say how a picture is prepared for it.`, {
    subject: 'preprocessing',
    remedy:
      'Use a model that was trained on images, or the option preprocessing of loadModel of @lmd/inference, as its ' +
      'README says.',
  });
}
