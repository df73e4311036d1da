import { LmdError } from '../errors.js';

/** The LmdError that `run` throws; fails where it throws none. */
export function errorOf(run: () => unknown): LmdError {
  try {
    run();
  } catch (error) {
    if (error instanceof LmdError) return error;
    throw error;
  }
  throw new Error('Nothing was thrown.');
}
