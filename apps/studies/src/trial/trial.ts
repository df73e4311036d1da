import { createHash } from 'node:crypto';
import type { ConfigurationInput } from '@lmd/cli';
import type { Options } from '../study/optimizers.js';
import type { PartName } from '../study/schema.js';

/**
 * A configuration of `lmd train` without its name: everything that determines a trial's result, except the code.
 */
export type TrialConfiguration = Omit<ConfigurationInput, 'name'> & { readonly data: { readonly kind: string } };

/** One trial of a study: its configuration and its purpose. */
export interface Trial {
  readonly part: PartName;
  /** Readable label: `final lmd mxfp4_e2m1 seed 0`. */
  readonly label: string;
  readonly hash: string;
  readonly configuration: TrialConfiguration;
  /** The optimizer's name in the study. */
  readonly optimizer: string;
  /** Its options as the study sets them. */
  readonly options: Options;
  /** The variant of an ablation, the factor of a sweep, the number of a search's point. */
  readonly variant: string;
  readonly format: string;
  readonly seed: number;
  readonly steps: number;
  /** The split that is evaluated. */
  readonly split: 'validation' | 'test';
}

/** JSON with sorted keys and without undefined values, so that equal values have equal text. */
function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
      : inner,
  );
}

/** Full SHA-256 of the canonical configuration, without the path of the data, which does not affect the result. */
export function hashOf({ data, ...rest }: TrialConfiguration): string {
  const { folder: _, path: __, ...examples } = { folder: undefined, path: undefined, ...data };
  return createHash('sha256')
    .update(canonicalJson({ ...rest, data: examples }))
    .digest('hex');
}
