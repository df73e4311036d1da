/**
 * Whether a pattern fits a whole name: `*` stands for any part of it, also none, and every other character for itself.
 * No choice is ever tried again: an earlier star need never take more once a later part is found, so the time is at
 * most the product of both lengths.
 */
export function matchesGlob(pattern: string, name: string): boolean {
  const [first, ...parts] = pattern.split('*') as [string, ...string[]];
  if (parts.length === 0) return name === pattern;
  if (!name.startsWith(first)) return false;
  const last = parts.pop()!;
  let at = first.length;
  for (const part of parts) {
    const found = name.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return name.length - at >= last.length && name.endsWith(last);
}
