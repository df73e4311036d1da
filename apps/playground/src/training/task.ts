import type { ImagePreprocessing } from '@lmd/core';
import type { TokenizerDescription } from '@lmd/data/text';
import type { Gpt2, Vit } from '@lmd/models';
import type { Dataset } from '@lmd/training';
import type { DataKind } from '../settings/settings.js';

/** What is trained, and on what. */
export interface Task {
  readonly kind: DataKind;
  readonly model: Gpt2 | Vit;
  readonly train: Dataset;
  readonly validation: Dataset;
  /** For the reader: `5,000 digits, 1,000 of them held out`. */
  readonly title: string;
  /** Of images, by label. */
  readonly classNames?: readonly string[];
  readonly preprocessing?: ImagePreprocessing;
  readonly tokenizer?: TokenizerDescription;
  /** Said once, such as which pictures could not be read. */
  readonly notes: readonly string[];
  /** What a saved file has of the data, so that the run can be resumed and evaluated elsewhere. */
  readonly files: Readonly<Record<string, Uint8Array>>;
  /** `data` and `model` of a configuration of `lmd`. */
  readonly configuration: { readonly data: object; readonly model: object };
}
