import type { ImagePreprocessing } from '@lmd/core';
import { type Tokenizer, tokenizerFromDescription } from '@lmd/data/text';
import { describeInMetadata, type ModelDescription, type ModelFile, packedKey } from '@lmd/inference';
import type { PretrainedModel } from '@lmd/models';

/** What a model file says beyond its weights and geometry. */
export interface ModelFileKnowledge {
  readonly classNames?: readonly string[];
  readonly preprocessing?: ImagePreprocessing;
  readonly tokenizer?: Tokenizer;
  /** The metadata of a model of lmd, without packed weights: an export has unpacked them. */
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * Class names, preprocessing and tokenizer of a model: from the metadata of a model of lmd, from the files of another
 * library otherwise.
 *
 * @throws LmdError `DATA_CORRUPT` for damaged metadata.
 */
export async function knowledgeOf(
  { metadata, describe }: Pick<ModelFile, 'metadata' | 'describe'>,
  { architecture, config }: PretrainedModel,
): Promise<ModelFileKnowledge> {
  const { tokenizer: assumed, ...described }: Partial<ModelDescription> = describe() ?? {};
  // That of a GPT-2 of another library is only assumed, unless the metadata names it.
  const tokenizer = metadata.tokenizer === undefined ? undefined : assumed;
  const { classNames, preprocessing } = described;
  const { [packedKey]: _, ...kept } = metadata;
  const description = { ...described, architecture, config, ...(tokenizer === undefined ? {} : { tokenizer }) };
  return {
    ...(classNames === undefined ? {} : { classNames }),
    ...(preprocessing === undefined ? {} : { preprocessing }),
    ...(tokenizer === undefined ? {} : { tokenizer: await tokenizerFromDescription(tokenizer) }),
    metadata: { ...kept, ...describeInMetadata(description as ModelDescription) },
  };
}
