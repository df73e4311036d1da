const longest = 120;

/** A value from a file as an error shows it: JSON, cut where it is long. Never throws, whatever the value. */
export function showValue(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (typeof value === 'number') return String(value);
  let text: string;
  try {
    text = JSON.stringify(value) ?? typeof value;
  } catch {
    // Nested too deeply, or a cycle.
    text = Array.isArray(value) ? '[…]' : '{…}';
  }
  return text.length <= longest ? text : `${text.slice(0, longest - 1)}…`;
}
