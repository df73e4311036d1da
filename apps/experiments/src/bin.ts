#!/usr/bin/env node
import { fileURLToPath } from 'node:url';
import { childArgument } from './trial/child.js';

if (process.argv[2] === childArgument && process.send !== undefined) {
  const { runAsChild } = await import('./trial/child.js');
  await runAsChild();
} else {
  const { main } = await import('./main.js');
  process.exitCode = await main(process.argv.slice(2), fileURLToPath(import.meta.url));
}
