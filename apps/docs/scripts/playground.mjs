// Builds the playground into the site.
import { fileURLToPath } from 'node:url';
import { buildPage } from '@lmd/playground/build';

await buildPage(fileURLToPath(new URL('../dist/playground', import.meta.url)));
