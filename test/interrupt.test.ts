import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, it } from 'vitest';

const lib = new URL('../scripts/lib.mjs', import.meta.url).href;
const program = `process.on('SIGINT', () => process.exit(7)); setTimeout(() => {}, 30_000); console.log('ready');`;

/** A script that runs a program as `npm start` does, and exits with its code. */
const script = (options: string) =>
  `import { run } from ${JSON.stringify(lib)};
  process.exitCode = await run(process.execPath, ['--eval', ${JSON.stringify(program)}], ${options});`;

// Windows has no signals for other processes.
it.skipIf(process.platform === 'win32')('passes an interrupt for the script alone on to its program', async () => {
  const options = `{ stdout: 'inherit', passInterrupt: true }`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script(options)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  child.kill('SIGINT');
  expect(await once(child, 'close')).toEqual([7, null]);
});
