import { isLmdError } from '@lmd/core';
import { type Vit, vit } from '@lmd/models';
import { StudyError } from '../errors.js';
import type { TrialConfig, TrialData } from '../trial/config.js';
import type { ModelSizes, Study } from './schema.js';

/** Height, width and number of classes of the images of a study. */
export function geometryOf(data: Pick<TrialData, 'kind'>): { readonly imageSize: number; readonly classes: number } {
  const { kind, size, classes } = data as TrialData & { readonly size: number; readonly classes: number };
  return kind === 'synthetic' ? { imageSize: size, classes } : { imageSize: 28, classes: 10 };
}

/** The network of a trial. Throws an `LmdError` where its sizes do not fit together, or not the images. */
export function buildModel(sizes: ModelSizes, data: TrialConfig['data'] | Study['data']): Vit {
  const given = Object.entries(sizes).filter(([, value]) => value !== undefined);
  return vit({ ...geometryOf(data), channels: 1, ...(Object.fromEntries(given) as ModelSizes & { mlpWidth: number }) });
}

/**
 * Builds every network of a study, which needs no data: one that cannot be built shows before the first trial, and in a dry run.
 *
 * @throws StudyError `INVALID_ARGUMENT` naming the key of the study.
 */
export function checkModels(study: Study, origin: string): void {
  checkModel(study.model, study, 'model', origin);
  study.governs?.variants.forEach(({ model }, index) => {
    if (model === undefined) return;
    const given = Object.entries(model).filter(([, value]) => value !== undefined);
    const sizes = { ...study.model, ...Object.fromEntries(given) };
    checkModel(sizes, study, `governs.variants.${index}.model`, origin);
  });
}

function checkModel(sizes: ModelSizes, { data }: Study, key: string, origin: string): void {
  try {
    buildModel(sizes, data);
  } catch (cause) {
    if (!isLmdError(cause)) throw cause;
    throw new StudyError('INVALID_ARGUMENT', `${origin}: ${key}: ${cause.message}`, {
      subject: `${key}.${cause.subject ?? ''}`,
      value: cause.value,
      cause,
    });
  }
}
