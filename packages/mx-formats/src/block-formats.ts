import { type ElementFormat, e2m1, e2m3, e3m2, e4m3, e5m2, int8 } from './element-formats.js';
import { describeValue, MxFormatError } from './errors.js';

/** Elements in blocks that share a scale, as data. */
export interface BlockFormat {
  readonly name: string;
  readonly element: ElementFormat;
  /** Consecutive elements that share a scale: 32 in OCP MX v1.0. */
  readonly blockSize: number;
  /**
   * How a block's scale is stored, in one byte. `e8m0`: a power of two, biased by 127, 0xFF being NaN (OCP MX v1.0,
   * section 5.4). `e4m3`: an E4M3 number, times one FP32 scale for the whole tensor (NVFP4).
   */
  readonly scale: string;
}

function ocp(element: ElementFormat, name: string): BlockFormat {
  return Object.freeze({ name, element, blockSize: 32, scale: 'e8m0' });
}

/** OCP MXFP8 with E5M2 elements: 8.25 bits a value. */
export const mxfp8_e5m2 = ocp(e5m2, 'mxfp8_e5m2');
/** OCP MXFP8 with E4M3 elements: 8.25 bits a value. */
export const mxfp8_e4m3 = ocp(e4m3, 'mxfp8_e4m3');
/** OCP MXFP6 with E3M2 elements: 6.25 bits a value. */
export const mxfp6_e3m2 = ocp(e3m2, 'mxfp6_e3m2');
/** OCP MXFP6 with E2M3 elements: 6.25 bits a value. */
export const mxfp6_e2m3 = ocp(e2m3, 'mxfp6_e2m3');
/** OCP MXFP4: 4.25 bits a value. */
export const mxfp4_e2m1 = ocp(e2m1, 'mxfp4_e2m1');
/** OCP MXINT8: 8.25 bits a value. */
export const mxint8 = ocp(int8, 'mxint8');

/**
 * NVIDIA's NVFP4: E2M1 elements in blocks of 16, an E4M3 scale a block, one FP32 scale a tensor: 4.5 bits a value. It
 * is not of the OCP specification.
 */
export const nvfp4: BlockFormat = Object.freeze({ name: 'nvfp4', element: e2m1, blockSize: 16, scale: 'e4m3' });

/** Every named block format. */
export const formats = Object.freeze({ mxfp8_e5m2, mxfp8_e4m3, mxfp6_e3m2, mxfp6_e2m3, mxfp4_e2m1, mxint8, nvfp4 });

/** The name of one of the block formats in `formats`. */
export type FormatName = keyof typeof formats;

/**
 * The block format of that name.
 *
 * @throws MxFormatError `INVALID_ARGUMENT` for another name; the message lists the names.
 */
export function formatNamed(name: string): BlockFormat {
  if (!Object.hasOwn(formats, name)) {
    throw new MxFormatError('INVALID_ARGUMENT', `Unknown format ${describeValue(name)}.`, {
      subject: 'format',
      value: name,
      remedy: `Use one of ${Object.keys(formats).join(', ')}, or pass a custom format record.`,
    });
  }
  return formats[name as FormatName];
}
