import { z } from 'zod';

/** The path of a file or folder. No operating system allows NUL in a path. */
export const pathSchema = z
  .string()
  .min(1)
  .refine((path) => !path.includes('\0'), 'is not a valid path, because it contains a NUL character.');
