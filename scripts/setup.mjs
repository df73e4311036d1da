// npm run setup: dependencies and builds, nothing else.
import { setUp } from './lib.mjs';

await setUp({ native: { quiet: false } });
