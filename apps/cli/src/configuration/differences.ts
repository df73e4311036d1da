/** A key in which objects differ, with the value of each; undefined where it is absent. */
export interface Difference {
  /** Dotted path. */
  readonly key: string;
  readonly values: readonly unknown[];
}

/** The deepest keys in which any of the values differ. */
export function differences(values: readonly unknown[], key = ''): Difference[] {
  if (values.every((value) => Object.is(value, values[0]))) return [];
  if (!values.every(isContainer)) return [{ key, values }];
  const names = new Set(values.flatMap((value) => Object.keys(value)));
  return [...names].flatMap((name) =>
    differences(
      values.map((value) => value[name]),
      key === '' ? name : `${key}.${name}`,
    ),
  );
}

function isContainer(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
