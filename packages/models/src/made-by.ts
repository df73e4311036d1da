import { version } from '../package.json';

/**
 * The marker of the models of this package. The version is a literal, not core's constant: it says for which contract
 * this source is written, whichever core is installed beside it.
 */
export const modelMarker = { specVersion: 'lmd-model-v1', madeBy: `@lmd/models ${version}` } as const;
