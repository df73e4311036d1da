/** The counts of one of vitest's reports. */
export function countReport(path: string): {
  passed: number;
  failed: number;
  skipped: number;
  seconds: number;
  failures: string[];
  note: string;
};
