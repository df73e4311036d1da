import { createOperations } from '@lmd/core';
import { type BenchTask, benchTasks } from '../bench/tasks.js';
import { openBackend } from '../engine/index.js';
import { type BackendName, backendNames } from '../engine/names.js';
import { interruptSignal } from '../interrupt.js';
import { type Column, renderTable } from '../output/table.js';
import { keepStandardOutputClean, type Terminal } from '../output/terminal.js';
import { describeMachine } from '../run/environment.js';
import { choose } from './choose.js';
import { numberOption } from './number-option.js';

export interface BenchCommandOptions {
  readonly backend: readonly string[];
  readonly seconds: string;
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
 * `lmd bench`: how fast the parts of a training step are on each backend. The best of the runs that fit into the time, since
 * whatever else the machine does only makes runs slower.
 */
export async function benchCommand(options: BenchCommandOptions, { out, error, colours }: Terminal): Promise<void> {
  if (options.json) keepStandardOutputClean();
  const names = [...new Set(options.backend.map((name) => choose('--backend', name, backendNames)))];
  const seconds = numberOption('--seconds', options.seconds, { above: 0 });
  const interrupt = interruptSignal(() => {});
  const speeds = new Map<string, Record<string, number>>(benchTasks.map(({ name }) => [name, {}]));
  const devices: Record<string, string> = {};
  const total = names.length * benchTasks.length;
  let done = 0;
  const progress = (task: string) => {
    if (error.isTTY) error.write(`\r\u001b[2K${++done}/${total}  ${task}`);
  };
  try {
    for (const name of names) {
      const backend = await openBackend(name);
      devices[name] = backend.device;
      try {
        for (const task of benchTasks) {
          progress(`${name}: ${task.name}`);
          speeds.get(task.name)![name] = await fastest(task, backend, seconds, interrupt.signal);
          interrupt.signal.throwIfAborted();
        }
      } finally {
        backend.close?.();
      }
    }
  } finally {
    if (error.isTTY) error.write('\r\u001b[2K');
    interrupt.dispose();
  }
  const rows = benchTasks.map(({ name, unit }): BenchRow => ({ task: name, unit, speeds: speeds.get(name)! }));
  const machine = `${describeMachine()}, Node ${process.versions.node}`;
  if (options.json) {
    out.write(`${JSON.stringify({ type: 'bench', machine, devices, rows })}\n`);
    return;
  }
  out.write(`${machine}\n`);
  for (const [name, device] of Object.entries(devices)) out.write(`${colours.bold(name)}: ${device}\n`);
  out.write(`\n${renderTable(columnsOf(names), rows, colours.bold)}\n`);
}

function columnsOf(names: readonly BackendName[]): readonly Column<BenchRow>[] {
  return [
    { title: 'task', cell: ({ task }) => task },
    ...names.map(
      (name): Column<BenchRow> => ({
        title: name,
        align: 'right',
        cell: ({ speeds }) => speeds[name]!.toPrecision(3),
      }),
    ),
    { title: 'unit', cell: ({ unit }) => unit },
  ];
}

/** Units of work a second, in the fastest run. The first run, in which engines compile, is not counted. */
async function fastest(
  task: BenchTask,
  backend: Parameters<typeof createOperations>[0],
  seconds: number,
  signal: AbortSignal,
): Promise<number> {
  const ops = createOperations(backend);
  const run = await task.prepare(ops);
  let best = Number.POSITIVE_INFINITY;
  const began = performance.now();
  for (let count = -1; count < 2 || (performance.now() - began) / 1000 < seconds; count++) {
    if (signal.aborted) break;
    const start = performance.now();
    const result = ops.scope(() => ops.keep(run()));
    // One value waits for all that was enqueued, and moves next to nothing.
    const one = ops.slice(ops.reshape(result, [-1]), [0], [1]);
    await ops.read(one);
    if (count >= 0) best = Math.min(best, performance.now() - start);
    ops.dispose([one, result]);
  }
  return task.work / (best / 1000);
}
