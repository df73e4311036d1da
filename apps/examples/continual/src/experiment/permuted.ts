import type { Pictures } from '@lmd/example-shared';
import { permutation } from '@lmd/training';

/** Permuted digits: the same pictures with their pixels in another order, one for each task. Task 0 changes nothing. */
export function permuted({ images, labels, pixels }: Pictures, seed: number, task: number): Pictures {
  if (task === 0) return { images, labels, pixels };
  const order = permutation(pixels, seed, 'pixels', task);
  const moved = images.map((_, i) => images[i - (i % pixels) + order[i % pixels]!]!);
  return { images: moved, labels, pixels };
}
