/**
 * The places where no token of GPT-2 reaches across: between a character that is no white space and one that is. White
 * space is that of `gpt2-classes.ts`, without its tables, which only GPT-2's tokenizer loads.
 */
export const gpt2Boundary =
  /[^\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000](?=[\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000])/gu;
