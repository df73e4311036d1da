/** JSON with as many entries on a line as fit into `columns`. */
export function compactJson(value: unknown, columns: number): string {
  return written(value, columns, '', 0);
}

/**
 * @param indent of the line that the value begins in.
 * @param before number of characters before the value in that line, without the indent.
 */
function written(value: unknown, columns: number, indent: string, before: number): string {
  const line = oneLine(value);
  // A comma follows.
  const fits = (length: number) => indent.length + length + 1 <= columns;
  if (typeof value !== 'object' || value === null || fits(before + line.length)) return line;
  const inner = `${indent}  `;
  const lines: string[] = [];
  for (const [name, entry] of namedEntries(value)) {
    const text = name + written(entry, columns, inner, name.length);
    const last = lines.at(-1);
    const together = last === undefined ? text : `${last}, ${text}`;
    if (last !== undefined && !together.includes('\n') && fits(together.length + 2)) lines[lines.length - 1] = together;
    else lines.push(text);
  }
  const [open, close] = Array.isArray(value) ? '[]' : '{}';
  return `${open}\n${lines.map((text) => inner + text).join(',\n')}\n${indent}${close}`;
}

function oneLine(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const entries = namedEntries(value).map(([name, entry]) => name + oneLine(entry));
  if (Array.isArray(value)) return `[${entries.join(', ')}]`;
  return entries.length === 0 ? '{}' : `{ ${entries.join(', ')} }`;
}

/** Entries with their keys as they stand before them; those of lists have none. */
function namedEntries(value: object): readonly (readonly [string, unknown])[] {
  if (Array.isArray(value)) return value.map((entry) => ['', entry] as const);
  return Object.entries(value).flatMap(([key, entry]) =>
    entry === undefined ? [] : [[`${JSON.stringify(key)}: `, entry] as const],
  );
}
