/**
 * Why a value is not a checkpoint: a field that is missing or has the wrong type. Undefined for a valid checkpoint. The
 * digest of a file shows that it is intact, but not which program wrote it.
 */
export function problemOf(value: unknown): string | undefined {
  if (!isRecord(value)) return 'it is not an object';
  for (const name of ['step', 'optimizerStep'] as const) {
    if (!Number.isSafeInteger(value[name]) || (value[name] as number) < 0) return `its ${name} is ${show(value[name])}`;
  }
  if (!isNumber(value.seconds) || !(value.seconds >= 0)) return `its seconds are ${show(value.seconds)}`;
  for (const name of ['identity', 'versions', 'tensors', 'plugins'] as const) {
    if (!isRecord(value[name])) return `its ${name} are ${show(value[name])}`;
  }
  for (const name of ['training', 'backend', 'device'] as const) {
    const version = (value.versions as Record<string, unknown>)[name];
    if (typeof version !== 'string') return `its versions.${name} is ${show(version)}`;
  }
  for (const [name, state] of Object.entries(value.plugins as object)) {
    if (!isRecord(state)) return `the state of plugin "${name}" is ${show(state)}`;
  }
  if (value.lastLoss !== undefined && !isNumber(value.lastLoss)) return `its lastLoss is ${show(value.lastLoss)}`;
  const { lastValidation } = value;
  if (lastValidation === undefined) return undefined;
  for (const name of ['loss', 'accuracy', 'perplexity', 'examples', 'step'] as const) {
    const number = isRecord(lastValidation) ? lastValidation[name] : undefined;
    if (!isNumber(number)) return `its lastValidation.${name} is ${show(number)}`;
  }
  return undefined;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number';
}

function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 80));
  return typeof value === 'object' && value !== null ? 'another kind of value' : String(value);
}
