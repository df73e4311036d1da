/** What the frame header of a JPEG says of the image and of its samples. */
export interface JpegFrame {
  /** In pixels, as stored. 0 in the rare files that state it after the first scan. */
  readonly height: number;
  readonly width: number;
  /** Whether it has predicted samples instead of DCT coefficients, which cannot be decoded at a reduced size. */
  readonly isLossless: boolean;
  /** Bits of a sample. */
  readonly precision: number;
  /** 1 grey, 3 colour, 4 CMYK. */
  readonly components: number;
}

/**
 * The first frame header (SOF) of a JPEG, ITU-T T.81, B.2.2: sharp's `metadata()` says the same, and reads the file a
 * second time. Undefined if there is none before the scan, as in a damaged file.
 */
export function jpegFrame(bytes: Uint8Array): JpegFrame | undefined {
  // After the start of the image, each segment has a marker and its length, which counts its own two bytes.
  let at = 2;
  while (at + 9 < bytes.length && bytes[at] === 0xff) {
    const marker = bytes[at + 1]!;
    // Any number of FF may stand before a marker.
    if (marker === 0xff) at += 1;
    // TEM and RST have no length.
    else if (marker === 0x01 || (marker >= 0xd0 && marker <= 0xd7)) at += 2;
    else if (isFrame(marker)) return frameAt(bytes, at);
    // The scan, or the end.
    else if (marker === 0xda || marker === 0xd9) return undefined;
    else at += 2 + bytes[at + 2]! * 256 + bytes[at + 3]!;
  }
  return undefined;
}

function frameAt(bytes: Uint8Array, at: number): JpegFrame {
  return {
    precision: bytes[at + 4]!,
    height: bytes[at + 5]! * 256 + bytes[at + 6]!,
    width: bytes[at + 7]! * 256 + bytes[at + 8]!,
    components: bytes[at + 9]!,
    // SOF3, SOF7, SOF11 and SOF15.
    isLossless: (bytes[at + 1]! & 3) === 3,
  };
}

/** SOF0 to SOF15 without DHT, JPG and DAC, which lie between them. */
function isFrame(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;
}
