// npm run setup: installs the dependencies and builds the packages.
import { setUp } from './lib.mjs';

await setUp({ declarations: true, native: { quiet: false } });
