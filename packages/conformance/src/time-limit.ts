import { LmdError } from '@lmd/core';

const expired = new WeakSet<object>();

/** Whether an error is that of `within`. */
export const isTimeLimit = (error: unknown): boolean =>
  typeof error === 'object' && error !== null && expired.has(error);

/**
 * `work`, or an error after this number of milliseconds. The work itself continues: nothing stops a
 * promise.
 *
 * @param waitingFor for the message, asked when the time is over
 */
export async function within<T>(
  milliseconds: number,
  work: Promise<T>,
  subject: string,
  waitingFor: () => string,
): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const error = new LmdError(
        'BACKEND_FAILURE',
        `${waitingFor()} has not settled within ${milliseconds / 1000} s.`,
        {
          subject,
          value: milliseconds,
          remedy: 'If the backend is only slow, use a larger timeLimit.',
        },
      );
      expired.add(error);
      reject(error);
    }, milliseconds);
  });
  try {
    return await Promise.race([work, limit]);
  } finally {
    clearTimeout(timer);
  }
}
