import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { crc32, createInflateRaw } from 'node:zlib';

// Signatures and sizes of PKWARE's APPNOTE 6.3.9, sections 4.3.7, 4.3.12 and 4.3.16.
const endOfDirectory = 0x06054b50;
const directoryEntry = 0x02014b50;
const localHeader = 0x04034b50;

/** The central directory of an archive without ZIP64, which no wheel of TensorFlow needs. */
async function directoryOf(file) {
  const { size } = await file.stat();
  const tail = Buffer.alloc(Math.min(size, 65_557));
  await file.read(tail, 0, tail.length, size - tail.length);
  const at = tail.lastIndexOf(Buffer.of(0x50, 0x4b, 0x05, 0x06));
  if (at < 0 || tail.readUInt32LE(at) !== endOfDirectory) throw new Error('The file is no ZIP archive.');
  const directory = Buffer.alloc(tail.readUInt32LE(at + 12));
  await file.read(directory, 0, directory.length, tail.readUInt32LE(at + 16));
  const entries = [];
  for (let offset = 0; offset < directory.length; ) {
    if (directory.readUInt32LE(offset) !== directoryEntry) throw new Error('The ZIP directory is damaged.');
    const nameLength = directory.readUInt16LE(offset + 28);
    entries.push({
      method: directory.readUInt16LE(offset + 10),
      checksum: directory.readUInt32LE(offset + 16),
      compressed: directory.readUInt32LE(offset + 20),
      header: directory.readUInt32LE(offset + 42),
      name: directory.toString('utf8', offset + 46, offset + 46 + nameLength),
    });
    offset += 46 + nameLength + directory.readUInt16LE(offset + 30) + directory.readUInt16LE(offset + 32);
  }
  return entries;
}

/** Passes bytes on, and fails at the end where their checksum is another. */
function checked({ name, checksum }) {
  // Node 20.15 and 22.2 have it; without, the wheel's own SHA-256 has been checked.
  if (crc32 === undefined) return new Transform({ transform: (chunk, _, done) => done(null, chunk) });
  let sum = 0;
  return new Transform({
    transform(chunk, _, done) {
      sum = crc32(chunk, sum);
      done(null, chunk);
    },
    flush: (done) => done(sum >>> 0 === checksum ? null : new Error(`${name} is damaged in the archive.`)),
  });
}

/**
 * Extracts the entries of a ZIP archive for which `target(name)` gives a relative path, into `folder`. Gives their
 * names. Throws for a damaged archive, and for a path that leaves the folder.
 */
export async function unzip(archive, folder, target) {
  const file = await open(archive);
  const extracted = [];
  try {
    for (const entry of await directoryOf(file)) {
      const path = entry.name.endsWith('/') ? undefined : target(entry.name);
      if (path === undefined) continue;
      if (path.split(/[\\/]/).includes('..')) throw new Error(`${path} would leave ${folder}.`);
      const header = Buffer.alloc(30);
      await file.read(header, 0, 30, entry.header);
      if (header.readUInt32LE(0) !== localHeader) throw new Error(`${entry.name} has no header in the archive.`);
      const start = entry.header + 30 + header.readUInt16LE(26) + header.readUInt16LE(28);
      await mkdir(dirname(join(folder, path)), { recursive: true });
      const steps = [createReadStream(archive, { start, end: start + entry.compressed - 1 })];
      if (entry.method === 8) steps.push(createInflateRaw());
      else if (entry.method !== 0) throw new Error(`${entry.name} is compressed by method ${entry.method}.`);
      await pipeline(...steps, checked(entry), createWriteStream(join(folder, path)));
      extracted.push(entry.name);
    }
  } finally {
    await file.close();
  }
  return extracted;
}
