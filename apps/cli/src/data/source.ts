import type { ImagePreprocessing } from '@lmd/core';
import type { TokenizerDescription } from '@lmd/data/text';
import type { DataConfiguration } from '../configuration/data-schema.js';
import type { RunData } from './run-data.js';

/** The sizes of the data, which the network must match, and what a model must know to predict for other data. */
export type Geometry =
  | {
      readonly kind: 'images';
      readonly imageSize: number;
      readonly channels: number;
      readonly classes: number;
      /** By label; absent if they are not known. */
      readonly classNames?: readonly string[] | undefined;
      /** How a picture becomes an input; absent for data that are not pictures. */
      readonly preprocessing?: ImagePreprocessing;
    }
  | { readonly kind: 'tokens'; readonly vocabularySize: number; readonly length: number }
  /** Examples of any other shape, for models of third parties. */
  | { readonly kind: 'examples'; readonly inputShape: readonly number[]; readonly classes: number };

/** One kind of data. */
export interface DataSource<Kind extends DataConfiguration['kind']> {
  /**
   * Checks that the data exists before a run folder is created, and makes a relative path absolute, since a run may be
   * resumed from another working directory. Throws an `LmdError` if the data is missing.
   */
  locate(configuration: Configured<Kind>): Configured<Kind>;
  /** Does not read images. */
  geometry(configuration: Configured<Kind>): Geometry;
  load(configuration: Configured<Kind>, seed: number): Promise<RunData>;
  /** The source of the data, as text. */
  describe(configuration: Configured<Kind>): string;
  /** The tokenizer of text. */
  tokenizer?(configuration: Configured<Kind>): TokenizerDescription | { readonly name: string };
}

export type Configured<Kind extends DataConfiguration['kind']> = Extract<DataConfiguration, { readonly kind: Kind }>;
