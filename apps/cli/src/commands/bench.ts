import { createOperations, type EagerOperations, isLmdError } from '@lmd/core';
import { interruptSignal } from '@lmd/training/node';
import { type BenchTask, benchTasks } from '../bench/tasks.js';
import { engineBeside, openTensorflow } from '../bench/tensorflow.js';
import type { TimedRun } from '../bench/timed-run.js';
import { openBackend } from '../engine/index.js';
import type { BackendName } from '../engine/names.js';
import { jsonLine } from '../output/json.js';
import { type Column, renderTable } from '../output/table.js';
import { eraseLine, keepStandardOutputClean, type Terminal } from '../output/terminal.js';
import { describeMachine } from '../run/environment.js';

export interface BenchCommandOptions {
  readonly backend: readonly BackendName[];
  readonly seconds: number;
  readonly json?: boolean;
}

/** One task on every backend. */
interface BenchRow {
  readonly task: string;
  readonly unit: string;
  /** By backend: the best of the runs. */
  readonly speeds: Readonly<Record<string, number>>;
}

/**
 * `lmd bench`: measures the speed of the parts of a training step on each backend, and of TensorFlow.js's own products
 * and Adam on the same engine. Reports the fastest of the runs that fit into the time, because other load on the
 * machine only makes runs slower.
 */
export async function benchCommand(options: BenchCommandOptions, { out, error, colours }: Terminal): Promise<void> {
  if (options.json) keepStandardOutputClean();
  const names = [...new Set(options.backend)];
  const { seconds } = options;
  const interrupt = interruptSignal();
  const speeds = new Map<string, Record<string, number>>(benchTasks.map(({ name }) => [name, {}]));
  const devices: Record<string, string> = {};
  const engines = names.flatMap((name) => engineBeside[name] ?? []);
  const compared = benchTasks.filter(({ beside }) => beside !== undefined).length;
  const total = names.length * benchTasks.length + engines.length * compared;
  let done = 0;
  const progress = (task: string) => {
    if (error.isTTY) error.write(`${eraseLine}${++done}/${total}  ${task}`);
  };
  try {
    for (const name of names) {
      const backend = await openBackend(name);
      const software = /swiftshader|llvmpipe/i.test(backend.device);
      devices[name] = `${backend.device}${software ? '. Software rendering: the figures do not apply to a GPU' : ''}`;
      const ops = createOperations(backend);
      try {
        for (const task of benchTasks) {
          progress(`${name}: ${task.name}`);
          const run = await runOn(task, ops);
          speeds.get(task.name)![name] = await fastest(task.work, run, seconds, interrupt.signal);
        }
      } finally {
        backend.close?.();
      }
    }
    for (const engine of engines) {
      const column = peerName(engine);
      const tf = await openTensorflow(engine).catch((cause: unknown) => {
        if (!isLmdError(cause, 'ENGINE_MISSING')) throw cause;
        devices[column] = `skipped. ${cause.message}`;
      });
      if (tf === undefined) continue;
      devices[column] = `TensorFlow.js ${tf.version_core} by itself`;
      for (const task of benchTasks) {
        if (task.beside === undefined) continue;
        progress(`${column}: ${task.name}`);
        speeds.get(task.name)![column] = await fastest(task.work, task.beside(tf), seconds, interrupt.signal);
      }
    }
  } finally {
    if (error.isTTY) error.write(eraseLine);
    interrupt.dispose();
  }
  const rows = benchTasks.map(({ name, unit }): BenchRow => ({ task: name, unit, speeds: speeds.get(name)! }));
  const machine = `${describeMachine()}, Node ${process.versions.node}`;
  if (options.json) {
    out.write(jsonLine({ type: 'bench', machine, devices, rows }));
    return;
  }
  out.write(`${machine}\n`);
  for (const [name, device] of Object.entries(devices)) out.write(`${colours.bold(name)}: ${device}\n`);
  const timed = [...names, ...engines.map(peerName)].filter((name) => rows.some(({ speeds }) => name in speeds));
  out.write(`\n${renderTable(columnsOf(timed), rows, { styleTitle: colours.bold, columns: out.columns })}\n`);
}

/** Title of the column of TensorFlow.js itself. */
const peerName = (engine: string) => `tf.${engine}`;

function columnsOf(names: readonly string[]): readonly Column<BenchRow>[] {
  return [
    { title: 'task', cell: ({ task }) => task },
    ...names.map(
      (name): Column<BenchRow> => ({
        title: name,
        align: 'right',
        cell: ({ speeds }) => speeds[name]?.toPrecision(3) ?? '',
      }),
    ),
    { title: 'unit', cell: ({ unit }) => unit },
  ];
}

/** One complete run of a task on a backend. */
async function runOn(task: BenchTask, ops: EagerOperations): Promise<TimedRun> {
  const run = await task.prepare(ops);
  return async () => {
    const result = ops.scope(() => ops.keep(run()));
    // Reading one value waits for all enqueued work, and transfers almost nothing.
    const one = ops.slice(ops.reshape(result, [-1]), [0], [1]);
    await ops.read(one);
    ops.dispose([one, result]);
  };
}

/** Units of work per second in the fastest run. The first run, in which engines compile, is not counted. */
async function fastest(work: number, run: TimedRun, seconds: number, signal: AbortSignal): Promise<number> {
  let best = Number.POSITIVE_INFINITY;
  const began = performance.now();
  for (let count = -1; count < 2 || (performance.now() - began) / 1000 < seconds; count++) {
    signal.throwIfAborted();
    const start = performance.now();
    await run();
    if (count >= 0) best = Math.min(best, performance.now() - start);
  }
  return work / (best / 1000);
}
