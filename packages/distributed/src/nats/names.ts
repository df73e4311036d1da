/** Any text as one token of a subject, and as part of the name of a stream: base64url. */
export function tokenOf(text: string): string {
  const binary = Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte)).join('');
  return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

/** The text of a token. */
export function textOf(token: string): string {
  const binary = atob(token.replaceAll('-', '+').replaceAll('_', '/'));
  return new TextDecoder().decode(Uint8Array.from(binary, (character) => character.charCodeAt(0)));
}

/** Nanoseconds, in which JetStream counts time. */
export const nanoseconds = (milliseconds: number): number => Math.round(milliseconds * 1e6);
