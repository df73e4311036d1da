import { version } from '../package.json';

/** This copy of the package. */
export const thisBackends = `@lmd/backends ${version}`;

/**
 * The marker of the backends of this package. The version is a literal, not core's constant: it says for which contract
 * this source is written, whichever core is installed beside it.
 */
export const backendMarker = { specVersion: 'lmd-backend-v1', madeBy: thisBackends } as const;
