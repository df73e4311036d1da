import { type Backend, messageOf } from '@lmd/core';
import type { Measurement } from '../context.js';
import { closingTest } from '../plan.js';
import { runConformance } from '../run-conformance.js';
import { type CallTrace, tracedBackend } from '../traced-backend.js';
import { openCallFile } from './call-file.js';
import { errorsByOperation } from './errors-by-operation.js';
import { loadBackend, Unusable } from './load-backend.js';
import type { ChildMessage, ChildRequest } from './messages.js';
import { measureSpeed } from './speed.js';

/** The argument that makes the program a test process; the path of its call file follows. */
export const childArgument = '--test-process';

/** The parent measures the time, since a loop cannot be left from inside. */
const noLimit = 2 ** 31 - 1;

/** Resolves when the message is on its way, so that what follows may hang or crash. */
function send(message: ChildMessage): Promise<void> {
  return new Promise((resolve) => process.send!(message, () => resolve()));
}

/** Runs what the parent asks for, and ends the process. */
export async function runAsChild(callFile: string): Promise<void> {
  const request = await new Promise<ChildRequest>((resolve) => process.once('message', resolve));
  // Without a parent there is nobody to tell.
  process.once('disconnect', () => process.exit(1));
  for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
    process.once(event, async (thrown: unknown) => {
      await send({ type: 'crash', message: thrown instanceof Error ? thrown.message : String(thrown) });
      process.exit(1);
    });
  }
  const trace = openCallFile(callFile);
  try {
    const create = await loadBackend(request.backend, trace);
    const backend = await create();
    const { name, device, fused } = backend;
    await send({ type: 'created', facts: { name, device, kernels: Object.keys(fused) } });
    const { task } = request;
    if (task.kind === 'speed') {
      await measureSpeed(backend, trace, (row) => send({ type: 'speed', row }));
    } else {
      const shown = tracedBackend(backend, trace);
      const createAnother = async () => {
        const another = await create();
        return another === backend ? shown : tracedBackend(another, trace);
      };
      for (const test of task.tests) await runTest(test, shown, createAnother, request.seed);
      await runClosing(backend, trace);
    }
    await send({ type: 'done' });
  } catch (thrown) {
    const message = thrown instanceof Error ? thrown.message : String(thrown);
    await send({ type: 'unusable', message, usage: thrown instanceof Unusable && thrown.usage });
  }
  // What the backend has started, such as workers, may keep running.
  process.exit(0);
}

async function runTest(
  test: string,
  backend: Backend,
  createAnother: () => Promise<Backend>,
  seed: number,
): Promise<void> {
  await send({ type: 'begin', test });
  const measured: Measurement[] = [];
  const start = performance.now();
  // It stays open for the next test.
  const kept = Object.create(backend, { close: { value: undefined } }) as Backend;
  const given = [kept];
  const { failed } = await runConformance({
    name: backend.name,
    create: async () => {
      const another = given.pop() ?? (await createAnother());
      return another === backend ? kept : another;
    },
    seed,
    timeLimit: noLimit,
    filter: (name) => name === test,
    onMeasurement: (measurement) => measured.push(measurement),
  });
  const milliseconds = performance.now() - start;
  const error = failed[0]?.error;
  await send({
    type: 'outcome',
    outcome: {
      name: test,
      passed: failed.length === 0,
      ...(failed.length === 0 ? {} : { message: error instanceof Error ? error.message : String(error) }),
      milliseconds,
      errors: errorsByOperation(measured),
    },
  });
}

/** Closes the backend, which is reported if it fails. */
async function runClosing(backend: Backend, trace: CallTrace): Promise<void> {
  await send({ type: 'begin', test: closingTest });
  trace.begin('close()');
  try {
    await backend.close?.();
  } catch (thrown) {
    const message = `close() failed: ${messageOf(thrown)}`;
    const outcome = { name: closingTest, passed: false, message, milliseconds: 0, errors: [] };
    await send({ type: 'outcome', outcome });
  }
}
