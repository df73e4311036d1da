export { charactersOf, characterTokenizer } from './character-tokenizer.js';
export { type CorpusPart, partOf, type TextDocument } from './documents.js';
export { encodeDocument } from './encode-document.js';
export { gpt2Tokenizer } from './gpt2-tokenizer.js';
export {
  type TokenDatasetOptions,
  type TokenSource,
  tokenDataset,
  tokenDatasetOptionTable,
  tokensInMemory,
} from './token-dataset.js';
export type { StreamingDecoder, Tokenizer, TokenizerDescription } from './tokenizer.js';
export { tokenizerFromDescription } from './tokenizer-from-description.js';
