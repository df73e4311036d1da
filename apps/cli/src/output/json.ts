/** JSON in which numbers that are not finite are the strings `NaN`, `Infinity` and `-Infinity`, as in `metrics.jsonl`. */
export function toJson(value: unknown, indent?: number): string {
  return JSON.stringify(
    value,
    (_, inner: unknown) => (typeof inner === 'number' && !Number.isFinite(inner) ? String(inner) : inner),
    indent,
  );
}

/** One JSON object on a line of its own. */
export function jsonLine(value: object): string {
  return `${toJson(value)}\n`;
}
