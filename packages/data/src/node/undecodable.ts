import { LmdError } from '@lmd/core';
import type { Size } from '../images/image.js';

export function undecodable(path: string, reason: string, remedy = 'Replace or remove it.'): LmdError {
  return new LmdError('DATA_CORRUPT', `${path} cannot be decoded: ${reason}.`, {
    subject: path,
    value: reason,
    remedy,
  });
}

/** `WIDTH × HEIGHT`, for messages. */
export function sizeOf({ width, height }: Size): string {
  return `${width} × ${height}`;
}
