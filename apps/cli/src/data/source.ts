import type { DataConfiguration } from '../configuration/data-schema.js';
import type { RunData } from './run-data.js';

/** The sizes of the data, which the network must match. */
export type Geometry =
  | { readonly kind: 'images'; readonly imageSize: number; readonly channels: number; readonly classes: number }
  | { readonly kind: 'tokens'; readonly vocabularySize: number; readonly length: number };

/** One kind of data. */
export interface DataSource<Kind extends DataConfiguration['kind']> {
  /**
   * Checks that the data exists before a run folder is created, and makes a relative folder absolute, since a run may
   * be resumed from another working directory. Throws an `LmdError` if the data is missing.
   */
  locate(configuration: Configured<Kind>): Configured<Kind>;
  /** Does not read the examples. */
  geometry(configuration: Configured<Kind>): Geometry;
  load(configuration: Configured<Kind>, seed: number): Promise<RunData>;
  /** The source of the data, as text. */
  describe(configuration: Configured<Kind>): string;
}

export type Configured<Kind extends DataConfiguration['kind']> = Extract<DataConfiguration, { readonly kind: Kind }>;
