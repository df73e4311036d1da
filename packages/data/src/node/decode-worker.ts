/**
 * The program of a worker thread, as text: a file of its own would have to be found both beside the sources and in a bundle. It decodes
 * one file at a time and gives the pixels away without a copy.
 */
export const decodeWorkerProgram = `
const { readFileSync } = require('node:fs');
const { parentPort, workerData } = require('node:worker_threads');
const jpeg = require(workerData.jpeg);
const { PNG } = require(workerData.png);

const maxPixels = 100_000_000;

function decodePng(bytes) {
  if (bytes.length < 24) throw new Error('the file is cut');
  const width = bytes.readUInt32BE(16);
  const height = bytes.readUInt32BE(20);
  if (width * height > maxPixels) throw new Error(width + ' × ' + height + ' pixels are more than ' + maxPixels);
  return PNG.sync.read(bytes);
}

function decodeJpeg(bytes) {
  return jpeg.decode(bytes, { useTArray: true, tolerantDecoding: false, maxResolutionInMP: maxPixels / 1e6, maxMemoryUsageInMB: 2048 });
}

function decode(bytes) {
  const png = bytes.length > 7 && bytes.readUInt32BE(0) === 0x89504e47;
  if (!png && !(bytes.length > 1 && bytes.readUInt16BE(0) === 0xffd8)) throw new Error('it is neither JPEG nor PNG');
  const { width, height, data } = png ? decodePng(bytes) : decodeJpeg(bytes);
  if (!(width > 0 && height > 0) || data.length !== width * height * 4) throw new Error('it holds no pixels');
  const rgb = new Uint8Array(width * height * 3);
  for (let from = 0, to = 0; to < rgb.length; from += 4, to += 3) {
    rgb[to] = data[from];
    rgb[to + 1] = data[from + 1];
    rgb[to + 2] = data[from + 2];
  }
  return { width, height, data: rgb };
}

parentPort.on('message', ({ job, path }) => {
  let bytes;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    parentPort.postMessage({ job, unreadable: { code: error.code, errno: error.errno, message: error.message } });
    return;
  }
  try {
    const image = decode(bytes);
    parentPort.postMessage({ job, image }, [image.data.buffer]);
  } catch (error) {
    parentPort.postMessage({ job, undecodable: String(error?.message ?? error) });
  }
});
`;
