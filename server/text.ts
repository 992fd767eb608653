/** Replaces the characters that a terminal would obey instead of show: control characters and marks that change the direction of text. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, '\uFFFD');
}

/** With a capital first letter, to begin a sentence. */
export function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

const MAX_QUOTE_LENGTH = 80;

/** Quotes a value that somebody sent, shortened, for a message about it. */
export function quote(value: unknown): string {
  const text = value === undefined ? 'undefined' : JSON.stringify(value);
  return text.length <= MAX_QUOTE_LENGTH ? text : `${text.slice(0, MAX_QUOTE_LENGTH - 3)}...`;
}

/** The message of an error. The error of a connection to several addresses has no message, only a code. */
export function messageOf(error: unknown): string {
  const { message, code } = Object(error) as Partial<NodeJS.ErrnoException>;
  return message === '' || message === undefined ? (code ?? String(error)) : message;
}
