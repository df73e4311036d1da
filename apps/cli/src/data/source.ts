import type { DataConfiguration } from '../configuration/data-schema.js';
import type { RunData } from './run-data.js';

/** What the data says about the network. */
export type Geometry =
  | { readonly kind: 'images'; readonly imageSize: number; readonly channels: number; readonly classes: number }
  | { readonly kind: 'tokens'; readonly vocabularySize: number; readonly length: number };

/** One kind of data: everything that the command needs to know of it. */
export interface DataSource<Kind extends DataConfiguration['kind']> {
  /**
   * Finds the data before a run folder is made, and makes a relative folder absolute: a resumed run may start
   * elsewhere. Throws an `LmdError` where it is missing.
   */
  locate(configuration: Configured<Kind>): Configured<Kind>;
  /** Without reading the examples. */
  geometry(configuration: Configured<Kind>): Geometry;
  load(configuration: Configured<Kind>, seed: number): Promise<RunData>;
  /** Where it comes from, for people to read. */
  describe(configuration: Configured<Kind>): string;
}

export type Configured<Kind extends DataConfiguration['kind']> = Extract<DataConfiguration, { readonly kind: Kind }>;
