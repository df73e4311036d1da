const grouped = new Intl.NumberFormat('en-GB', { maximumFractionDigits: 0 });

/** `12,345`. */
export function count(value: number): string {
  return grouped.format(value);
}

/** `96.41 %`. */
export function percent(fraction: number): string {
  return `${(100 * fraction).toFixed(2)} %`;
}

/** `0:07`, `2:05`, `1:02:03`: whole seconds. */
export function duration(seconds: number): string {
  const total = Math.max(0, Math.round(seconds));
  const twoDigits = (value: number) => String(value).padStart(2, '0');
  const hours = Math.floor(total / 3600);
  const minutes = Math.floor((total % 3600) / 60);
  const rest = twoDigits(total % 60);
  return hours > 0 ? `${hours}:${twoDigits(minutes)}:${rest}` : `${minutes}:${rest}`;
}

/** `812 MiB`, `1.4 GiB`. */
export function bytes(value: number): string {
  const mebibytes = value / 2 ** 20;
  return mebibytes < 1024 ? `${mebibytes.toFixed(0)} MiB` : `${(mebibytes / 1024).toFixed(1)} GiB`;
}

/** `640 B`, `12.3 kB`, `1.25 MB`: three digits, in powers of 1000. */
export function fileSize(value: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  const power = value < 1000 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(value) / 3));
  return `${power === 0 ? value : (value / 1000 ** power).toPrecision(3)} ${units[power]}`;
}

/** Four significant digits, with a Unicode minus sign, and with an exponent only for very small or large values. */
export function decimal(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const size = Math.abs(value);
  const text = size !== 0 && (size < 1e-3 || size >= 1e5) ? value.toExponential(2) : value.toPrecision(4);
  return text.replaceAll('-', '\u2212');
}
