import { describeValue, LmdError } from '@lmd/core';

export function argumentError(caller: string, subject: string, value: unknown, remedy: string): LmdError {
  return new LmdError('INVALID_ARGUMENT', `${caller}: ${subject} is ${describeValue(value)}.`, {
    subject,
    value,
    remedy,
  });
}
