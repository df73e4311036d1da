import { version } from '../package.json';
import { pluginSpecVersion } from './plugin.js';

/** This copy of the package, as `madeBy` of what it makes, and as the receiver in errors. */
export const thisTraining = `@lmd/training ${version}`;

/** The marker of the plugins of this package. */
export const pluginMarker = { specVersion: pluginSpecVersion, madeBy: thisTraining } as const;
