const longest = 120;

/** A value from a file as JSON for an error message, truncated if long. Never throws. */
export function showValue(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (typeof value === 'number') return String(value);
  let text: string;
  try {
    text = JSON.stringify(value) ?? typeof value;
  } catch {
    // Nested too deeply, or cyclic.
    text = Array.isArray(value) ? '[…]' : '{…}';
  }
  return text.length <= longest ? text : `${text.slice(0, longest - 1)}…`;
}
