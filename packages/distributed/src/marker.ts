import { exchangeSpecVersion } from '@lmd/training';
import { version } from '../package.json';
import { transportSpecVersion } from './transport.js';

const madeBy = `@lmd/distributed ${version}`;

/** The markers of what this package makes. */
export const transportMarker = { specVersion: transportSpecVersion, madeBy } as const;
export const exchangeMarker = { specVersion: exchangeSpecVersion, madeBy } as const;
