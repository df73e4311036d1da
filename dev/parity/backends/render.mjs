import { bounds } from '@lmd/conformance';
import { markdownTable } from 'markdown-table';
import { fusedKernels, primitives } from './operations.mjs';

/** `n + 1` from `(n) => n + 1`. */
const formula = (units) => units.toString().replace(/^\(?\w*\)?\s*=>\s*/, '');

function boundText({ kind, units }) {
  if (kind !== 'units') return kind === 'identical' ? 'same bits' : 'exact';
  // A constant was given as a number, which is no different to call.
  if (units(1) === units(1000)) return `${units(1)} u`;
  const text = formula(units).replaceAll(' * ', '·');
  return text.includes(' ') ? `(${text}) u` : `${text} u`;
}

function cell(record, operation, fused) {
  const measured = record.operations[operation];
  if (measured === undefined) return 'not tested';
  const kernel = !fused ? '' : record.kernels.includes(operation) ? 'kernel, ' : 'composed, ';
  if (bounds[measured.bound].kind !== 'units') return `${kernel}exact`;
  const share = measured.share < 0.005 ? '< 1 %' : `${Math.round(100 * measured.share)} %`;
  return `${kernel}${measured.units.toFixed(measured.units < 10 ? 1 : 0)} u (${share})`;
}

/**
 * docs/backends.md from the records of all columns: { [name]: { date, node, seed, device, kernels, passed, failed,
 * operations } }.
 */
export function render(names, records) {
  const known = names.filter((name) => records[name] !== undefined);
  const rowOf = (operation, fused) => {
    const boundName = known.map((name) => records[name].operations[operation]?.bound).find(Boolean);
    if (boundName === undefined) return undefined;
    return [
      `\`${operation}\``,
      boundText(bounds[boundName]),
      ...known.map((name) => cell(records[name], operation, fused)),
    ];
  };
  const rows = (operations, fused) => operations.map((operation) => rowOf(operation, fused)).filter(Boolean);
  const head = (title) => [title, 'bound', ...known];
  const runs = known.map((name) => {
    const { device, passed, failed, date, node } = records[name];
    const verdict = failed.length === 0 ? `${passed} passed` : `${passed} passed, ${failed.length} failed`;
    return [`\`${name}\``, device, verdict, `Node ${node}`, date];
  });
  const failures = known.flatMap((name) => records[name].failed.map((test) => `- \`${name}\`: ${test}`));
  const absent = names.filter((name) => records[name] === undefined);
  return `# Backends

The operations of each backend, with measured errors. \`npm run docs:backends\` generates this page by running the
conformance suite on every backend available on the machine. Columns of other backends are kept, with their dates.

${markdownTable([['backend', 'device', 'conformance', 'with', 'on'], ...runs])}
${absent.length === 0 ? '' : `\nNot measured yet: ${absent.join(', ')}.\n`}${failures.length === 0 ? '' : `\nFailures:\n\n${failures.join('\n')}\n`}
Machine: ${records[known[0]].machine}; seed ${records[known[0]].seed}, so that all backends are tested on the same values.

## How to read the tables

- A bound is in units of u = 2^-24, half an ulp of 1, times the magnitude of the terms of an element; n is the number of
  terms. The [table of bounds](../packages/conformance/src/bounds.ts) gives the reason for each.
- A cell is the largest error of the run in the same units, and as a fraction of the bound. \`exact\` means that every
  result was exact: the same bits, or the correctly rounded float32 number.
- Errors are measured on the random values of the suite, with at most a few hundred terms. They are not upper bounds.

## Primitives

${markdownTable([head('operation'), ...rows(primitives, false)])}

## Fused kernels

\`kernel\`: the backend implements the operation; \`composed\`: core composes it from primitives. If there is a kernel, the
suite tests the composition against the same bound as well. \`blockMatmul\` includes \`encodeOperand\` and
\`decodeOperand\`: a backend has all three or none. The TensorFlow.js adapters have none, since the engines cannot multiply
8-bit integers; \`@lmd/models\` then multiplies the quantized operands in f32, which is faster there than the composition.

${markdownTable([head('kernel'), ...rows(fusedKernels, true)])}
`;
}
