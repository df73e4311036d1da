import type { BackendChoice } from '../configuration/backend-schema.js';
import { type ConformanceSummary, runQuickConformance } from '../doctor/conformance.js';
import { diagnoseBackend } from '../doctor/probe.js';
import { exitCodes } from '../errors.js';
import { jsonLine } from '../output/json.js';
import { statusLine } from '../output/status-line.js';
import { renderTable } from '../output/table.js';
import { keepStandardOutputClean, type Terminal } from '../output/terminal.js';
import { wrapText } from '../output/wrap.js';
import { diagnosisColumns } from './doctor.js';

export interface DoctorBackendOptions {
  readonly backend?: BackendChoice;
  readonly json?: boolean;
}

/** Failures that are printed; the first one is the one to look at. */
const shownFailures = 10;

/** `lmd doctor --backend`: probes one backend, and runs the quick level of the conformance suite on it. */
export async function doctorBackendCommand(
  { backend, json }: DoctorBackendOptions & { readonly backend: BackendChoice },
  terminal: Terminal,
): Promise<void> {
  if (json) keepStandardOutputClean();
  const { out, colours } = terminal;
  const diagnosis = await diagnoseBackend(backend);
  const status = statusLine(terminal.error);
  let conformance: ConformanceSummary | undefined;
  try {
    conformance = diagnosis.works
      ? await runQuickConformance(backend, (done, total) => status.show('conformance', done, total))
      : undefined;
  } finally {
    status.clear();
  }
  if (conformance === undefined || conformance.failed.length > 0) process.exitCode = exitCodes.failure;
  if (json) {
    out.write(
      jsonLine({ type: 'doctor', backends: [diagnosis], ...(conformance === undefined ? {} : { conformance }) }),
    );
    return;
  }
  const print = (text: string) => out.write(`${wrapText(text, out.columns)}\n`);
  print(renderTable(diagnosisColumns, [diagnosis], { styleTitle: colours.bold, columns: out.columns }));
  if (conformance === undefined) {
    print(`\n${colours.red('does not work')}: ${diagnosis.reason}`);
    return;
  }
  const { passed, failed, seconds, seed } = conformance;
  const verdict = failed.length === 0 ? colours.green('conforms') : colours.red('does not conform');
  print(
    `\n${verdict}: ${passed} of ${passed + failed.length} tests of the quick level passed in ` +
      `${seconds.toFixed(1)} s (seed ${seed}).`,
  );
  for (const { name, message } of failed.slice(0, shownFailures)) print(`  ${colours.bold(name)}: ${message}`);
  if (failed.length > shownFailures) print(`  and ${failed.length - shownFailures} more`);
  print('\nThe full suite is backendConformance or runConformance of @lmd/conformance.');
}
