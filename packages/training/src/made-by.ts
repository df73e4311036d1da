import { version } from '../package.json';

/** This copy of the package, as `madeBy` of what it makes, and as the receiver in errors. */
export const thisTraining = `@lmd/training ${version}`;
