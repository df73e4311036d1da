import { version } from '../package.json';

/** This copy of the package, as the receiver in errors. */
export const thisInference = `@lmd/inference ${version}`;
