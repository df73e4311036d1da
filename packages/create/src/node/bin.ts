#!/usr/bin/env node
import { relative } from 'node:path';
import { parseCommandLine, usage } from './arguments.js';
import { createProject } from './create-project.js';
import { isCreateError } from './errors.js';

const print = (text: string) => process.stdout.write(`${text}\n`);

try {
  const asked = parseCommandLine(process.argv.slice(2));
  if (asked === 'help') print(usage);
  else {
    const { folder, files } = await createProject(asked);
    const shown = relative('', folder) || '.';
    print(`Created ${shown}: ${files.join(', ')}\n\n  cd ${shown}\n  npm install\n  npm test`);
  }
} catch (error) {
  if (!isCreateError(error)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = error.code === 'INVALID_ARGUMENT' || error.code === 'UNKNOWN_KIND' ? 2 : 1;
}
