#!/usr/bin/env node
import { fileURLToPath } from 'node:url';
import { probeArgument } from './doctor/probe-process.js';
import type { BackendName } from './engine/names.js';
import { childArgument } from './trial/hosts.js';

if (process.argv[2] === childArgument && process.send !== undefined) {
  const { runAsChild } = await import('./trial/child.js');
  await runAsChild();
} else if (process.argv[2] === probeArgument && process.send !== undefined) {
  const { diagnoseBackend } = await import('./doctor/probe.js');
  process.send(await diagnoseBackend(process.argv[3] as BackendName), () => process.disconnect());
} else {
  const { main } = await import('./main.js');
  // No process.exit: output that is still buffered for a pipe is then written.
  process.exitCode = await main(process.argv.slice(2), fileURLToPath(import.meta.url));
  // A timer of a module that failed would keep the process alive.
  const end = () => {
    const isWritten = process.stdout.writableLength + process.stderr.writableLength === 0;
    return isWritten ? process.exit() : setTimeout(end, 100).unref();
  };
  if (process.exitCode !== 0) setTimeout(end, 1000).unref();
}
