/**
 * Upper ends of the bins of an error histogram, in ulp (2^-23 times the magnitude of the terms of the element: see
 * `bounds`). The first bin holds exact results; the last one has no end.
 */
export const errorBins: readonly number[] = [0, 0.5, 1, 2, 4, 8, 16, 32, 64, Number.POSITIVE_INFINITY];

/** Number of elements in each bin of `errorBins`. */
export type ErrorHistogram = readonly number[];

/** The bin of an error in ulp. */
export function binOf(ulps: number): number {
  return errorBins.findIndex((end) => ulps <= end);
}

/** Two histograms together. */
export function addHistograms(a: ErrorHistogram, b: ErrorHistogram): ErrorHistogram {
  return errorBins.map((_, bin) => (a[bin] ?? 0) + (b[bin] ?? 0));
}

/** `0`, `≤ 0.5`, …, `> 64`: the titles of the bins. */
export const binTitles: readonly string[] = errorBins.map((end, bin) => {
  if (end === 0) return '0';
  return Number.isFinite(end) ? `≤ ${end}` : `> ${errorBins[bin - 1]}`;
});
