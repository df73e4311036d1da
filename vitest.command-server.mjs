// A process that runs commands of `lmd` one after another, as messages ask for them. The start of a process takes more
// time than most commands of the tests. Its argument is the built program.
import { pathToFileURL } from 'node:url';

const bin = process.argv[2];
const { main } = await import(new URL('main.js', pathToFileURL(bin)).href);
const start = process.cwd();
const { log, info, debug } = console;

/** Collects what is written to a stream until the returned function is called, which gives it. */
function capture(stream) {
  const { write } = stream;
  const chunks = [];
  const listeners = stream.listeners('error');
  stream.write = (chunk, ...rest) => {
    chunks.push(Buffer.from(chunk));
    const done = rest.at(-1);
    if (typeof done === 'function') process.nextTick(done);
    return true;
  };
  return () => {
    stream.write = write;
    for (const listener of stream.listeners('error')) {
      if (!listeners.includes(listener)) stream.off('error', listener);
    }
    return Buffer.concat(chunks).toString('utf8');
  };
}

process.on('message', async ({ words, cwd }) => {
  process.chdir(cwd);
  process.exitCode = undefined;
  const [stdout, stderr] = [capture(process.stdout), capture(process.stderr)];
  const code = await main(words, bin);
  Object.assign(console, { log, info, debug });
  process.exitCode = undefined;
  // The test may remove the folder, which Windows refuses for the working directory of a process.
  process.chdir(start);
  process.send({ code, stdout: stdout(), stderr: stderr() });
});
process.on('disconnect', () => process.exit());
process.send('ready');
