import { TextDecoder } from 'node:util';

/** Byte order marks, which are more reliable than the header. */
const MARKS: readonly (readonly [readonly number[], string])[] = [
  [[0xef, 0xbb, 0xbf], 'utf-8'],
  [[0xfe, 0xff], 'utf-16be'],
  [[0xff, 0xfe], 'utf-16le'],
];

/**
 * The text of a body, by the character set that its Content-Type names, or UTF-8 if that is none or unknown. Bytes that
 * are no characters there become U+FFFD.
 * @param isWhole false if there was more: a character that is cut off at the end is left out
 */
export function bodyText(body: Buffer, contentType: string | undefined, isWhole: boolean): string {
  const marked = MARKS.find(([mark]) => mark.every((byte, index) => body[index] === byte))?.[1];
  const decoder = decoderOf(marked ?? charsetOf(contentType));
  return decoder.decode(body, { stream: !isWhole });
}

function charsetOf(contentType = ''): string {
  const [, quoted, plain] = /;\s*charset\s*=\s*(?:"([^"]*)"|([^\s;"]+))/i.exec(contentType) ?? [];
  return quoted ?? plain ?? 'utf-8';
}

function decoderOf(charset: string): TextDecoder {
  try {
    return new TextDecoder(charset);
  } catch {
    return new TextDecoder();
  }
}
