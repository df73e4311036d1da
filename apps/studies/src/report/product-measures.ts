import type { RecordedResult } from '@lmd/cli/experiment';

export type Measured = RecordedResult['measures'][number];

/** Mean of the values; of none, undefined. */
export function mean(values: readonly number[]): number | undefined {
  return values.length === 0 ? undefined : values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** The products measured in a format: those of activations and weights, or those inside attention. */
export function productsIn(measured: Measured | undefined, format: string, isAttention: boolean) {
  return (measured?.products ?? []).filter(
    ({ product, formats }) =>
      formats[format] !== undefined && isAttention === /attention\.(scores|values)$/.test(product),
  );
}

/** Mean signal-to-noise ratio of the products of activations and weights, or of those inside attention, in dB. */
export function meanSignal(measured: Measured | undefined, format: string, isAttention = false): number | undefined {
  return mean(productsIn(measured, format, isAttention).map(({ formats }) => formats[format]!.signalToNoise));
}
