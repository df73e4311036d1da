import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

// The README's example is itself a test file: run here, it adds the whole suite on the reference backend.
const folder = new URL('../.vitest/', import.meta.url);
const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
const example = /```ts\n([\s\S]*?)```/.exec(readme)?.[1];
if (example === undefined) throw new Error('README.md has no ts example');
mkdirSync(folder, { recursive: true });
const file = fileURLToPath(new URL('readme-example.ts', folder));
writeFileSync(file, example);
await import(/* @vite-ignore */ file);
