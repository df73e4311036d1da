import { z } from 'zod';

/** A file or folder. No system takes a NUL in a path. */
export const pathSchema = z
  .string()
  .min(1)
  .refine((path) => !path.includes('\0'), 'is not a path: it holds a NUL character.');
