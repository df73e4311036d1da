import { toJson } from '@lmd/training';

/**
 * One JSON object on a line of its own; numbers that are not finite are the strings `NaN`, `Infinity` and `-Infinity`.
 */
export function jsonLine(value: object): string {
  return `${toJson(value)}\n`;
}
