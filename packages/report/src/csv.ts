/**
 * Prefixes fields that a spreadsheet would evaluate as a formula with an apostrophe (OWASP, CSV injection), except
 * numbers.
 */
function field(value: string | number | boolean | null | undefined): string {
  if (value === null || value === undefined) return '';
  if (typeof value !== 'string') return String(value);
  const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

export type CsvValue = string | number | boolean | null | undefined;

/** Comma-separated values (RFC 4180, with line feeds): one line of titles, then one line per row. */
export function csv(titles: readonly string[], rows: readonly (readonly CsvValue[])[]): string {
  return `${[titles, ...rows].map((row) => row.map(field).join(',')).join('\n')}\n`;
}
