import { version } from '../package.json';

/** The marker of the operations of a tape. The version is that of the contract that this source is written for. */
export const tapeMarker = { specVersion: 'lmd-operations-v1', madeBy: `@lmd/autograd ${version}` } as const;
