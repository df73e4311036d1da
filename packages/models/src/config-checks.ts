import { describeValue, LmdError, resolveOption } from '@lmd/core';
import { transformerOptionTable } from './transformer-options.js';

/** The width of each MLP, given or 4 · width. */
export function mlpWidthOf(owner: string, given: { readonly width: number; readonly mlpWidth: number | undefined }) {
  const { width, mlpWidth = 4 * width } = given;
  return resolveOption(owner, 'mlpWidth', transformerOptionTable.mlpWidth, mlpWidth) as number;
}

/** Refuses a size that does not divide another. */
export function checkDivides(owner: string, name: string, value: number, whole: string, of: number): void {
  if (of % value === 0) return;
  const divisors = Array.from({ length: Math.min(of, 10_000) }, (_, i) => i + 1).filter((d) => of % d === 0);
  const [shown, more] = [divisors.slice(0, 16).join(', '), divisors.length > 16 ? ', …' : ''];
  throw invalid(owner, name, value, `It must divide ${whole} (${of}): use one of ${shown}${more}.`);
}

export function invalid(owner: string, name: string, value: unknown, remedy: string): LmdError {
  return new LmdError('INVALID_ARGUMENT', `${owner}: ${name} is ${describeValue(value)}.`, {
    subject: name,
    value,
    remedy,
  });
}
