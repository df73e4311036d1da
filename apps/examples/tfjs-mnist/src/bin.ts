#!/usr/bin/env node
import { isLmdError } from '@lmd/core';
import { CommanderError } from 'commander';
import { main } from './main.js';

const { stdout, stderr } = process;
try {
  await main(process.argv.slice(2), {
    out: stdout,
    progress: { write: (text) => stderr.write(text), isTTY: stderr.isTTY },
  });
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2;
  else if (isLmdError(error)) {
    stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  } else throw error;
}
