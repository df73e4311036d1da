import { LmdError } from '@lmd/core';

const placeholder = (label: number) => `LABEL_${label}`;

/**
 * `id2label` and `label2id` of transformers. Without names they are transformers' placeholders `LABEL_0`, `LABEL_1`, …,
 * which `classNamesOf` does not take for names.
 */
export function labelMaps(classes: number, names: readonly string[] | undefined) {
  const labels = names ?? Array.from({ length: classes }, (_, label) => placeholder(label));
  return {
    id2label: Object.fromEntries(labels.map((name, label) => [`${label}`, name])),
    label2id: Object.fromEntries(labels.map((name, label) => [name, label])),
  };
}

/**
 * The names of all classes in order, from `id2label` of transformers or `label_names` of timm, a list or a record by
 * label; undefined if there are none, one is missing, two are equal, or one is a placeholder such as `LABEL_0`.
 */
export function classNamesOf(labels: unknown, classes: number | undefined): readonly string[] | undefined {
  if (typeof labels !== 'object' || labels === null) return undefined;
  const entries: readonly (readonly [string, unknown])[] = Object.entries(labels);
  const names: string[] = [];
  for (let label = 0; label < entries.length; label++) {
    const name = (labels as { readonly [label: string]: unknown })[label];
    if (typeof name !== 'string' || name === placeholder(label)) return undefined;
    names.push(name);
  }
  const isComplete = names.length > 0 && (classes === undefined || names.length === classes);
  return isComplete && new Set(names).size === names.length ? names : undefined;
}

/** @throws LmdError `INVALID_ARGUMENT` unless there is a different name for each class. */
export function checkClassNames(names: readonly string[], classes: number): void {
  const repeated = names.find((name, label) => names.indexOf(name) !== label);
  if (names.length === classes && repeated === undefined) return;
  const problem =
    repeated === undefined
      ? `has ${names.length} names, but the model has ${classes} classes`
      : `has ${JSON.stringify(repeated)} twice`;
  throw new LmdError('INVALID_ARGUMENT', `exportPretrained: classNames ${problem}.`, {
    subject: 'classNames',
    value: names,
    remedy: 'Give one name for each class, all different, in the order of the labels.',
  });
}
