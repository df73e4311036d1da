import type { ClimbResult } from './climb.js';
import { errorTable, levelTable, oneLine, speedTable } from './tables.js';

export interface ReportContext {
  readonly version: string;
  readonly date: Date;
}

/** Everything, for other programs. */
export function jsonReport(result: ClimbResult, { version, date }: ReportContext): string {
  const { backend, facts, ...rest } = result;
  const report = {
    type: 'conformance',
    version,
    node: process.versions.node,
    date: date.toISOString(),
    module: backend.specifier,
    options: backend.options,
    backend: facts ?? null,
    ...rest,
  };
  return `${JSON.stringify(report, null, 2)}\n`;
}

export function markdownReport(result: ClimbResult, { version, date }: ReportContext): string {
  const { backend, facts, seed, levels, errors, speed, problem } = result;
  const failures = levels.flatMap(({ outcomes }) => outcomes.filter(({ passed }) => !passed));
  const sections = [
    `# Conformance of ${oneLine(facts?.name ?? backend.specifier)}`,
    [
      `- Module: \`${backend.specifier}\``,
      ...(facts === undefined
        ? []
        : [`- Device: ${oneLine(facts.device)}`, `- Kernels: ${facts.kernels.join(', ') || 'none'}`]),
      `- Suite: @lmd/conformance ${version}, Node ${process.versions.node}, seed ${seed}`,
      `- Date: ${date.toISOString().slice(0, 10)}`,
    ].join('\n'),
    ...(problem === undefined ? [] : [`The backend cannot be tested: ${oneLine(problem.message)}`]),
    ...(levels.length === 0 ? [] : ['## Levels', levelTable(levels)]),
    ...levels.flatMap(({ name, note }) => (note === undefined ? [] : [`${name}: ${note}.`])),
    ...(failures.length === 0
      ? []
      : ['## Failures', failures.map(({ name, message }) => `- **${name}**: ${oneLine(message ?? '')}`).join('\n')]),
    ...(errors.length === 0
      ? []
      : [
          '## Errors',
          'Number of elements by error, in ulp of the magnitude of their terms (2^-23 times it), of all results within ' +
            'their bound.',
          errorTable(errors),
        ]),
    ...(speed.length === 0
      ? []
      : ['## Speed', 'Beside the reference backend, which is plain loops, in the same process.', speedTable(speed)]),
  ];
  return `${sections.join('\n\n')}\n`;
}
