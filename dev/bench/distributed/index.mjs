/**
 * npm run bench -- distributed [--json] [--write] [--quick] [--part counting ...]
 *
 * Measures what `@lmd/distributed` promises. counting: votes of 124M weights counted by one core. wire: bytes that a
 * worker sends and receives for a step, counted by a proxy, beside those of the votes. large: one exchange of 500 MB.
 * queue: 1,000 trials without work, from a study to workers and back. overhead: a step of two workers beside one of a
 * process with two micro-batches, for a GPT-2 with 6 layers of width 384, and how long a step must be for averages
 * over NATS to be 15 % of it. wire, large, queue, and overhead over a server need a NATS server (npm run nats says how
 * to get one) and are omitted without one. `--write` writes the table in docs/distributed.md.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { findNatsServer } from '../../../scripts/nats-server.mjs';
import { benchArguments } from '../lib/arguments.mjs';
import { withMarked, wrapped } from '../lib/marked.mjs';
import { occasion, omitted, tableOfRows, writeAtomically } from '../lib/page.mjs';
import { forgetTargets, leaveOut, print } from '../lib/report.mjs';
import { measureCounting } from './counting.mjs';
import { measureLarge } from './large.mjs';
import { measureOverhead } from './overhead.mjs';
import { measureQueue } from './queue.mjs';
import { measureWire } from './wire.mjs';

const parts = {
  counting: measureCounting,
  wire: measureWire,
  large: measureLarge,
  queue: measureQueue,
  overhead: measureOverhead,
};
const given = benchArguments({
  part: { type: 'string', multiple: true, default: Object.keys(parts) },
});
const unknown = given.part.find((name) => !Object.hasOwn(parts, name));
if (unknown !== undefined) {
  console.error(`Unknown part "${unknown}". Use some of ${Object.keys(parts).join(', ')}.`);
  process.exit(2);
}
const server = findNatsServer();
if (server === undefined) leaveOut('wire, large, queue and two workers over a server: no NATS server is installed');
const notes = [];
for (const name of given.part) notes.push(...((await parts[name]({ quick: given.quick, server })) ?? []));
if (given.quick) forgetTargets();
print(given.json);
if (!given.json) for (const note of notes) console.log(note);
if (given.write) {
  const page = fileURLToPath(new URL('../../../docs/distributed.md', import.meta.url));
  const { date, machine, load } = occasion();
  const measured = wrapped(`Measured on ${date}; ${machine}; ${load}. ${omitted()}`);
  const paragraphs = notes.length === 0 ? [] : [wrapped(notes.join(' '))];
  const contents = [tableOfRows(), ...paragraphs, measured].join('\n\n');
  writeAtomically(page, withMarked(readFileSync(page, 'utf8'), 'measured', contents));
}
