import { isLmdError } from '@lmd/core';
import { interruptSignal } from '@lmd/training/node';
import { main } from './command.js';

const { stdout, stderr } = process;
const interrupt = interruptSignal(() => stderr.write('\nStopping after this step. The state is saved.\n'));
try {
  const streams = { out: stdout, progress: { write: (text: string) => stderr.write(text), isTTY: stderr.isTTY } };
  await main(process.argv.slice(2), streams, interrupt.signal);
} catch (error) {
  if (!isLmdError(error)) throw error;
  stderr.write(`${error.message}\n`);
  process.exitCode = isLmdError(error, 'INTERRUPTED') ? 130 : 1;
} finally {
  interrupt.dispose();
}
