import { packData } from '../scripts/pack-data.mjs';

/** Once, before test files run beside each other. */
export default () => packData();
