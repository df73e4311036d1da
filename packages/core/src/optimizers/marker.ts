import { thisCore } from '../made-by.js';
import { optimizerSpecVersion } from './optimizer.js';

/** The marker of the optimizers of this package. */
export const optimizerMarker = { specVersion: optimizerSpecVersion, madeBy: thisCore } as const;
