/** The records of the posterior study: a file with one line of JSON for each finished trial. */
import { appendFileSync, existsSync, readFileSync, truncateSync } from 'node:fs';

/**
 * The records of a file; none if there is no such file. Half a line at its end, of a program that was killed, is none.
 *
 * @param {string} file
 * @returns {any[]}
 */
export function readRecords(file) {
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, 'utf8').split('\n');
  return lines.slice(0, -1).map((line, index) => {
    try {
      return JSON.parse(line);
    } catch (cause) {
      throw new Error(`${file}, line ${index + 1} is not JSON. Remove the line: its trial is then done again.`, {
        cause,
      });
    }
  });
}

/**
 * Appends a record, after the last whole line.
 *
 * @param {string} file
 * @param {object} record
 */
export function appendRecord(file, record) {
  const bytes = existsSync(file) ? readFileSync(file) : Buffer.alloc(0);
  const whole = bytes.lastIndexOf('\n') + 1;
  if (whole < bytes.length) truncateSync(file, whole);
  appendFileSync(file, `${JSON.stringify(record)}\n`);
}
