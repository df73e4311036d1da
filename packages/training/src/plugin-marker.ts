import { thisTraining } from './made-by.js';
import { pluginSpecVersion } from './plugin.js';

/** The marker of the plugins of this package. */
export const pluginMarker = { specVersion: pluginSpecVersion, madeBy: thisTraining } as const;
