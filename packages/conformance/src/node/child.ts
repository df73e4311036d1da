import { setTimeout as delay } from 'node:timers/promises';
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

/** Of the request, so that the parent can tell our messages from those of the backend. */
let key = '';

/** Resolves when the message is on its way, so that what follows may hang or crash. */
function send(message: ChildMessage): Promise<void> {
  return new Promise((resolve) => process.send!({ ...message, key }, () => resolve()));
}

/** Runs what the parent asks for, and ends the process. */
export async function runAsChild(callFile: string): Promise<void> {
  const request = await new Promise<ChildRequest>((resolve) => process.once('message', resolve));
  key = request.key;
  // Without a parent there is nobody to tell.
  process.once('disconnect', () => process.exit(1));
  for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
    process.once(event, async (thrown: unknown) => {
      await send({ type: 'crash', message: messageOf(thrown) });
      process.exit(1);
    });
  }
  let failure: { readonly call: string; readonly thrown: unknown } | undefined;
  const trace: CallTrace = {
    ...openCallFile(callFile),
    failed(call, thrown) {
      failure = { call, thrown };
    },
  };
  /** What a test has thrown; the call is named if it is the backend's own. */
  const reasonOf = (thrown: unknown) => {
    const isOwn = failure !== undefined && Object.is(failure.thrown, thrown);
    return isOwn ? `${failure!.call} failed: ${messageOf(thrown)}` : messageOf(thrown);
  };
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
      for (const test of task.tests) await runTest(test, { backend: shown, createAnother, reasonOf }, request.seed);
      await runClosing(backend, trace);
    }
    await send({ type: 'done' });
  } catch (thrown) {
    await send({ type: 'unusable', message: messageOf(thrown), usage: thrown instanceof Unusable && thrown.usage });
  }
  // What the backend has started, such as workers, may keep running.
  process.exit(0);
}

interface Tested {
  readonly backend: Backend;
  readonly createAnother: () => Promise<Backend>;
  readonly reasonOf: (thrown: unknown) => string;
}

async function runTest(test: string, { backend, createAnother, reasonOf }: Tested, seed: number): Promise<void> {
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
  // What the test has left behind, such as a promise that nothing awaits, fails now: in its own test.
  await delay(1);
  await send({
    type: 'outcome',
    outcome: {
      name: test,
      passed: failed.length === 0,
      ...(failed.length === 0 ? {} : { message: reasonOf(failed[0]!.error) }),
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
