/** The formats that are decoded, by the extensions of their files. */
export const imageExtensions: readonly string[] = ['.jpg', '.jpeg', '.png', '.webp', '.gif', '.avif', '.tif', '.tiff'];

export const imageFormats = 'JPEG, PNG, WebP, GIF, AVIF and TIFF';

/** Bytes from the beginning of a file that `imageFormat` looks at. */
export const headBytes = 64;

export type ImageFormat = 'jpeg' | 'png' | 'webp' | 'gif' | 'avif' | 'tiff';

/**
 * The format of a file by its first bytes, whatever its extension: the decoder knows more formats, such as SVG, than
 * pictures for training should be given to. `name` is for people; `format` is absent where it is not one that is
 * decoded.
 */
export function imageFormat(head: Uint8Array): { readonly name?: string; readonly format?: ImageFormat } {
  const text = String.fromCharCode(...head);
  const found = signatures.find(({ at = 0, bytes }) => text.startsWith(bytes, at));
  if (found !== undefined) return found;
  if (!text.startsWith('ftyp', 4)) return {};
  // A box of ISO/IEC 14496-12: the brands say what it holds. `mif1` alone may be AVIF or HEIC.
  const length = Math.min(head.length, head[3]!);
  const brands = text.slice(8, length);
  if (/avi[fs]/.test(brands)) return { name: 'AVIF', format: 'avif' };
  return /hei[cxms]|hev[cxms]|mif1|msf1/.test(brands) ? { name: 'HEIC' } : {};
}

interface Signature {
  readonly name: string;
  readonly format?: ImageFormat;
  readonly bytes: string;
  readonly at?: number;
}

const signatures: readonly Signature[] = [
  { name: 'JPEG', format: 'jpeg', bytes: '\xff\xd8\xff' },
  { name: 'PNG', format: 'png', bytes: '\x89PNG\r\n\x1a\n' },
  { name: 'WebP', format: 'webp', bytes: 'WEBP', at: 8 },
  { name: 'GIF', format: 'gif', bytes: 'GIF87a' },
  { name: 'GIF', format: 'gif', bytes: 'GIF89a' },
  { name: 'TIFF', format: 'tiff', bytes: 'II*\0' },
  { name: 'TIFF', format: 'tiff', bytes: 'MM\0*' },
  { name: 'TIFF', format: 'tiff', bytes: 'II+\0' },
  { name: 'TIFF', format: 'tiff', bytes: 'MM\0+' },
  { name: 'BMP', bytes: 'BM' },
  { name: 'JPEG 2000', bytes: '\0\0\0\x0cjP  ' },
  { name: 'JPEG XL', bytes: '\0\0\0\x0cJXL ' },
  { name: 'JPEG XL', bytes: '\xff\x0a' },
  { name: 'SVG', bytes: '<svg' },
];
