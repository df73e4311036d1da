import { type Interval, verdict } from './statistics.js';

/** `87.42 ± 0.31`, `87.42` of one value, `–` of none: percent. */
export function percentInterval(interval: Interval | undefined): string {
  if (interval === undefined) return '–';
  const mean = (100 * interval.mean).toFixed(2);
  return interval.halfWidth === undefined ? mean : `${mean} ± ${(100 * interval.halfWidth).toFixed(2)}`;
}

/** As `percentInterval`, with a sign. */
export function signedPercentInterval(interval: Interval | undefined): string {
  if (interval === undefined) return '–';
  const shown = percentInterval(interval);
  return interval.mean > 0 ? `+${shown}` : shown.replace('-', '−');
}

/** `0.4081 ± 0.0044`: nats. */
export const lossInterval = (interval: Interval | undefined): string => decimalInterval(interval, 4);

export function decimalInterval(interval: Interval | undefined, digits: number): string {
  if (interval === undefined) return '–';
  const mean = interval.mean.toFixed(digits);
  return interval.halfWidth === undefined ? mean : `${mean} ± ${interval.halfWidth.toFixed(digits)}`;
}

export function decimal(value: number | undefined, digits: number): string {
  return value === undefined || !Number.isFinite(value) ? '–' : value.toFixed(digits);
}

/** Options on one line, for a table. */
export function showOptions(options: object): string {
  return Object.entries(options)
    .map(([name, value]) => `${name} ${typeof value === 'object' ? JSON.stringify(value) : String(value)}`)
    .join(', ');
}

const titles: Readonly<Record<string, string>> = {
  fp32: 'FP32',
  bf16: 'BF16',
  mxfp8_e5m2: 'MXFP8 E5M2',
  mxfp8_e4m3: 'MXFP8 E4M3',
  mxfp6_e3m2: 'MXFP6 E3M2',
  mxfp6_e2m3: 'MXFP6 E2M3',
  mxfp4_e2m1: 'MXFP4',
  mxint8: 'MXINT8',
  nvfp4: 'NVFP4',
};

export function formatTitle(format: string): string {
  return titles[format] ?? format;
}

const words = { higher: 'better', lower: 'worse', 'not shown': 'not significant' } as const;

/** A difference in percentage points with its verdict. */
export function judged(difference: Interval | undefined): string {
  if (difference === undefined) return '–';
  const shown = signedPercentInterval(difference);
  return difference.halfWidth === undefined ? `${shown} (one seed)` : `${shown}: ${words[verdict(difference)]}`;
}
