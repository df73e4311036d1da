/** A share as the page shows it. */
export const percent = (share: number | undefined) => (share === undefined ? '–' : `${(100 * share).toFixed(1)} %`);

export const bandwidthText = (bytesPerSecond: number | undefined) =>
  bytesPerSecond === undefined ? '–' : `${(bytesPerSecond / 1e9).toFixed(2)} GB/s`;

const superscripts = ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'];

/** A number with three digits; small and large ones with a power of ten. */
export function short(value: number): string {
  const size = Math.abs(value);
  if (size === 0 || (size >= 0.001 && size < 10_000)) return String(Number(value.toPrecision(3))).replace('-', '−');
  const [mantissa, exponent = ''] = value.toExponential(1).split('e');
  const raised = exponent
    .replace('+', '')
    .replace('-', '⁻')
    .replace(/\d/g, (digit) => superscripts[Number(digit)]!);
  return `${mantissa} · 10${raised}`.replace('-', '−');
}
