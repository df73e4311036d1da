import { z } from 'zod';

/** A path into a configuration: keys and array indices. */
export type Path = readonly PropertyKey[];

/** `optimizers.0.learningRate`. */
export function showPath(path: Path): string {
  return path.length === 0 ? 'the configuration' : path.map(String).join('.');
}

/** The value at `path`, or undefined if there is none. */
export function valueAt(root: unknown, path: Path): unknown {
  let value = root;
  for (const key of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Record<PropertyKey, unknown>)[key];
  }
  return value;
}

/** Removes wrappers such as `.optional()` and `.default()`. */
export function unwrap(schema: z.core.$ZodType): z.core.$ZodType {
  let inner = schema;
  while (
    inner instanceof z.ZodOptional ||
    inner instanceof z.ZodDefault ||
    inner instanceof z.ZodPrefault ||
    inner instanceof z.ZodNullable
  ) {
    inner = inner.unwrap();
  }
  return inner;
}

/** The members of a union that match the discriminator of `value`; all of them if none matches. */
function membersFor(union: z.ZodDiscriminatedUnion, value: unknown): readonly z.core.$ZodType[] {
  const discriminator = union.def.discriminator;
  const tag = valueAt(value, [discriminator]);
  const fitting = union.options.filter((option) => {
    const inner = unwrap(option);
    return inner instanceof z.ZodObject && inner.shape[discriminator]?.safeParse(tag).success === true;
  });
  return fitting.length > 0 ? fitting : union.options;
}

/** The schema of the value at one key or index. */
function valueSchema(schema: z.core.$ZodType, key: PropertyKey): z.core.$ZodType | undefined {
  if (schema instanceof z.ZodObject) return schema.shape[String(key)];
  if (schema instanceof z.ZodArray) return schema.element;
  return schema instanceof z.ZodRecord ? schema.valueType : undefined;
}

/** The keys that the schema allows in the object at `path` of `root`; empty if it expects no object. */
export function allowedKeys(schema: z.core.$ZodType, root: unknown, path: Path): string[] {
  const inner = unwrap(schema);
  if (inner instanceof z.ZodDiscriminatedUnion) {
    return [...new Set(membersFor(inner, root).flatMap((member) => allowedKeys(member, root, path)))];
  }
  const [key, ...rest] = path;
  if (key === undefined) return inner instanceof z.ZodObject ? Object.keys(inner.shape) : [];
  const next = valueSchema(inner, key);
  return next === undefined ? [] : allowedKeys(next, valueAt(root, [key]), rest);
}
