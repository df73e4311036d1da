import { LmdError } from '../errors.js';
import type { RandomKey } from '../formats.js';
import { streamOf } from '../random/stream.js';
import type { DrawKey } from './optimizer.js';

/** Random key of the noise of a weight in one sample. Throws if there is none, as in an update without a draw. */
export function randomKey(owner: string, weight: string, key: DrawKey | undefined): RandomKey {
  if (typeof key !== 'object' || key === null) {
    throw new LmdError('INVALID_ARGUMENT', `${owner}: there is no random key to sample "${weight}".`, {
      subject: 'key',
      value: key,
      remedy: 'Pass { seed, step, sample }; update needs the keys that were passed to draw.',
    });
  }
  const { seed, step, sample } = key;
  return { seed, stream: streamOf(weight), step, sample };
}
