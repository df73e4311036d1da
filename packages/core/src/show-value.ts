/**
 * A value in the text of an error, cut where it is long. Never throws: `String` does for an object whose `toString` is
 * no function, which a damaged file may hold.
 */
export function showValue(value: unknown): string {
  let text: string;
  try {
    text = typeof value === 'object' && value !== null ? (JSON.stringify(value) ?? 'an object') : literal(value);
  } catch {
    text = 'an object';
  }
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

function literal(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value) : String(value);
}
