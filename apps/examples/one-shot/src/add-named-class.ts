import { type EagerOperations, LmdError, type NamedTensors, type Tensor } from '@lmd/core';
import { addClass, type Vit } from '@lmd/models';

/** A trained model with the names of its classes, in the order of its logits. */
export interface Classifier {
  readonly model: Vit;
  readonly weights: NamedTensors;
  readonly classNames: readonly string[];
}

/**
 * Adds a class to a classifier from a few pictures of it, by DONE (`addClass` of `@lmd/models`). The logits of the
 * other classes keep their bits.
 *
 * @param images [pictures, imageSize, imageSize, channels], prepared as in training; one picture at least.
 * @returns a classifier with weights of its own, which the caller frees.
 * @throws LmdError `INVALID_ARGUMENT` for a class that exists and without pictures, `SHAPE_MISMATCH` for pictures of
 * another size.
 */
export async function addNamedClass(
  ops: EagerOperations,
  { model, weights, classNames }: Classifier,
  className: string,
  images: Tensor,
): Promise<Classifier> {
  if (classNames.includes(className)) {
    throw new LmdError('INVALID_ARGUMENT', `addNamedClass: className "${className}" is a class of the model already.`, {
      subject: 'className',
      value: className,
      remedy: `Use another name than ${classNames.join(', ')}.`,
    });
  }
  if (images.shape[0] === 0) {
    throw new LmdError('INVALID_ARGUMENT', 'addNamedClass: images has 0 pictures.', {
      subject: 'images',
      value: 0,
      remedy: `Pass at least one picture of "${className}".`,
    });
  }
  const added = await addClass(ops, model, weights, images);
  return { ...added, classNames: [...classNames, className] };
}
