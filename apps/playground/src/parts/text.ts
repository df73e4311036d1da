/** A share as the page shows it. */
export const percent = (share: number | undefined) => (share === undefined ? '–' : `${(100 * share).toFixed(1)} %`);

export const bandwidthText = (bytesPerSecond: number | undefined) =>
  bytesPerSecond === undefined ? '–' : `${(bytesPerSecond / 1e9).toFixed(2)} GB/s`;

/** A number with three digits, small and large ones as powers of ten. */
export function short(value: number): string {
  if (value === 0) return '0';
  const size = Math.abs(value);
  return size >= 0.01 && size < 1000
    ? String(Number(value.toPrecision(3)))
    : value.toExponential(1).replace('e', '·10^');
}
