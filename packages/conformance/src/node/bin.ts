#!/usr/bin/env node
import { fileURLToPath } from 'node:url';
import { childArgument, runAsChild } from './child.js';
import { main } from './main.js';

if (process.argv[2] === childArgument && process.send !== undefined) await runAsChild(process.argv[3]!);
// No process.exit: output that is still buffered for a pipe is then written.
else process.exitCode = await main(process.argv.slice(2), fileURLToPath(import.meta.url));
