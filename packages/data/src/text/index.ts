export { charactersOf, characterTokenizer } from './character-tokenizer.js';
export { type CorpusPart, partOf, type TextDocument } from './documents.js';
export { encodeDocument } from './encode-document.js';
export { encodeDocuments } from './encode-documents.js';
export { gpt2Tokenizer } from './gpt2-tokenizer.js';
export { type HoldOutTextOptions, holdOutText, holdOutTextOptionTable, type WholeDocument } from './hold-out-text.js';
export {
  type TokenDatasetOptions,
  type TokenSource,
  tokenDataset,
  tokenDatasetOptionTable,
  tokensInMemory,
} from './token-dataset.js';
export type { CharacterDescription, StreamingDecoder, Tokenizer, TokenizerDescription } from './tokenizer.js';
export { tokenizerFiles } from './tokenizer-files.js';
export { tokenizerFromDescription } from './tokenizer-from-description.js';
