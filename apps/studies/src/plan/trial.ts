import type { PlannedTrial } from '@lmd/cli/experiment';
import type { PartName } from '../study/schema.js';

/** One trial of a study. */
export interface Trial extends PlannedTrial {
  readonly part: PartName;
  /** The variant of an ablation, the factor of a sweep, the number of a search's point. */
  readonly variant: string;
  readonly format: string;
  readonly seed: number;
}
