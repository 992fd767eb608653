import fc from 'fast-check';
import { AnswerParser } from '../../client/src/answer-parser';

interface Parsed {
  readonly status: number | undefined;
  readonly fields: Record<string, string>;
  readonly body: string;
  readonly isOver: boolean;
}

/** What comes of an answer whose bytes come in these pieces, and the connection's end after them. */
function parse(pieces: readonly Buffer[]): Parsed {
  const parser = new AnswerParser();
  const body = pieces.flatMap((piece) => parser.feed(piece));
  parser.end();
  const { head, isOver } = parser;
  return { status: head?.status, fields: Object.fromEntries(head?.fields ?? []), body: Buffer.concat(body).toString(), isOver };
}

function parseText(text: string): Parsed {
  return parse([Buffer.from(text, 'latin1')]);
}

const OK = 'HTTP/1.1 200 OK\r\n';
const CHUNKED = `${OK}Transfer-Encoding: chunked\r\n\r\n`;

const ANSWERS: [string, string, Partial<Parsed>][] = [
  ['of a known length', `${OK}Content-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello`, { status: 200, body: 'hello', fields: { 'content-type': 'text/plain', 'content-length': '5' } }],
  ['in chunks', `${CHUNKED}5\r\nhello\r\n1\r\n,\r\n00A;x="y"\r\n0123456789\r\n0\r\n\r\n`, { status: 200, body: 'hello,0123456789' }],
  ['in chunks, with trailers', `${CHUNKED}1\r\n\n\r\n0\r\nX-Sum: 1\r\n\r\n`, { body: '\n' }],
  ['that ends with its connection', `${OK}\r\nall of\r\nthis`, { body: 'all of\r\nthis', fields: {} }],
  ['without a body', 'HTTP/1.1 204 No Content\r\n\r\n', { status: 204, body: '' }],
  ['that is empty', `${OK}Content-Length: 0\r\n\r\n`, { body: '' }],
  ['after interim ones', `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.0 423 Locked\r\nContent-Length: 1\r\n\r\nx`, { status: 423, body: 'x', fields: { 'content-length': '1' } }],
  ['without a reason', 'HTTP/1.1 200\r\nContent-Length: 1\r\n\r\nx', { status: 200, body: 'x' }],
  ['with fields in any form', `${OK}A:b\r\nc:\t d e \t\r\nF:\r\nA: second\r\ncontent-length: 1\r\n\r\nx`, { fields: { a: 'b', c: 'd e', f: '', 'content-length': '1' } }],
  ['with more behind it', `${OK}Content-Length: 1\r\n\r\nxHTTP/1.1 200 OK\r\n\r\nanother`, { body: 'x' }],
];

describe.each(ANSWERS)('an answer %s', (_what, text, expected) => {
  test('is understood', () => {
    expect(parseText(text)).toMatchObject({ ...expected, isOver: true });
  });

  test('is the same however its bytes are split', () => {
    const bytes = Buffer.from(text, 'latin1');
    const whole = parse([bytes]);
    expect(parse([...bytes].map((byte) => Buffer.from([byte])))).toEqual(whole);
    for (let at = 0; at <= bytes.length; at += 1) expect(parse([bytes.subarray(0, at), bytes.subarray(at)])).toEqual(whole);
  });
});

test('an answer that is cut off is none, wherever that is', () => {
  for (const [, text] of ANSWERS.filter(([what]) => !/connection|behind/.test(what))) {
    for (let at = 0; at < text.length; at += 1) expect(() => parseText(text.slice(0, at))).toThrow('the connection was closed');
  }
});

test.each([
  ['nothing like it', '\u0000\u0001\u0002 not http\r\n\r\n'],
  ['another version', 'HTTP/2 200\r\n\r\n'],
  ['a status that is none', 'HTTP/1.1 2000 OK\r\n\r\n'],
  ['a status line of another kind', 'ICY 200 OK\r\n\r\n'],
  ['a bare line feed', 'HTTP/1.1 200 OK\n\n'],
  ['a bare carriage return', `${OK}A: b\rC: d\r\n\r\n`],
  ['a control character', `${OK}A: b\u0000\r\n\r\n`],
  ['a field without a name', `${OK}: b\r\n\r\n`],
  ['a space before the colon', `${OK}A : b\r\n\r\n`],
  ['a folded field', `${OK}A: b\r\n c\r\n\r\n`],
  ['another protocol', 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n'],
  ['a length below nothing', `${OK}Content-Length: -1\r\n\r\n`],
  ['a length in another base', `${OK}Content-Length: 0x10\r\n\r\n`],
  ['a length beyond all', `${OK}Content-Length: 9999999999999999\r\n\r\n`],
  ['two lengths', `${OK}Content-Length: 1\r\nContent-Length: 1\r\n\r\nx`],
  ['a length and chunks', `${OK}Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n`],
  ['chunks twice', `${OK}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n`],
  ['an encoding that nobody asked for', `${OK}Transfer-Encoding: gzip, chunked\r\n\r\n`],
  ['a chunk without a size', `${CHUNKED}\r\nx\r\n`],
  ['a chunk whose size is none', `${CHUNKED}zz\r\nx\r\n`],
  ['a chunk that is too large', `${CHUNKED}123456789\r\n`],
  ['a chunk that is longer than it says', `${CHUNKED}1\r\nxy\r\n0\r\n\r\n`],
  ['a trailer that is none', `${CHUNKED}0\r\nx\r\n\r\n`],
])('%s is refused', (_what, text) => {
  expect(() => parseText(text)).toThrow(/not HTTP|protocol|length|long|more than one|size/);
});

test.each([
  ['a head', OK, 'X: y\r\n'],
  ['a field', `${OK}X: `, 'xxxx'],
  ['a series of interim answers', '', 'HTTP/1.1 100 Continue\r\n\r\n'],
  ['a chunk\'s size', `${CHUNKED}1;`, 'xxxx'],
  ['a series of trailers', `${CHUNKED}0\r\n`, 'X: y\r\n'],
])('%s without an end is given up', (_what, begin, more) => {
  const parser = new AnswerParser();
  parser.feed(Buffer.from(begin));
  expect(() => {
    for (let i = 0; i < 20_000; i += 1) parser.feed(Buffer.from(more));
  }).toThrow(/does not end|no size/);
});

test('nothing that comes has any effect but an answer or an error', () => {
  const piece = fc.oneof(fc.constantFrom(OK, CHUNKED, '\r\n', '\n', '0\r\n', 'A: b\r\n', 'Content-Length: 3\r\n'), fc.string({ unit: 'binary', maxLength: 20 }));
  fc.assert(fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
    try {
      expect(parse(pieces.map((text) => Buffer.from(text, 'latin1'))).isOver).toBe(true);
    } catch (error) {
      expect((error as Error).message).toMatch(/^(the |it is |a chunk )/);
    }
  }));
});

test('a body of any bytes comes out as it went in, in chunks of any size', () => {
  fc.assert(fc.property(fc.array(fc.uint8Array({ minLength: 1, maxLength: 50 })), fc.integer({ min: 1, max: 30 }), (chunks, step) => {
    const parts = chunks.flatMap((chunk) => [Buffer.from(`${chunk.length.toString(16)}\r\n`), Buffer.from(chunk), Buffer.from('\r\n')]);
    const bytes = Buffer.concat([Buffer.from(CHUNKED), ...parts, Buffer.from('0\r\n\r\n')]);
    const parser = new AnswerParser();
    const body: Buffer[] = [];
    for (let at = 0; at < bytes.length; at += step) body.push(...parser.feed(bytes.subarray(at, at + step)));
    expect(parser.isOver).toBe(true);
    expect(Buffer.concat(body).equals(Buffer.concat(chunks))).toBe(true);
  }));
});
