/** What comes before the body of an answer. */
export interface Head {
  readonly status: number;
  /** By their names in small letters; of one that comes more than once, the first. */
  readonly fields: ReadonlyMap<string, string>;
}

/** Longer heads, and longer trailers, are not the sidecar's. In bytes, those of interim answers included. */
const MAX_HEAD_LENGTH = 16_384;

/** The line with the size of a chunk, extensions included, in bytes. */
const MAX_SIZE_LINE_LENGTH = 1024;

const STATUS_LINE = /^HTTP\/1\.[01] ([1-5]\d\d)(?: [\t\x20-\x7e\x80-\xff]*)?$/;
const FIELD_LINE = /^([!#$%&'*+.^_`|~\w-]+):[\t ]*((?:[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?)[\t ]*$/;
const CHUNK_SIZE_LINE = /^([\da-fA-F]{1,8})[\t ]*(?:;[\t\x20-\x7e\x80-\xff]*)?$/;
const LENGTH = /^\d{1,15}$/;

/**
 * Takes apart one answer of HTTP/1.1 (RFC 9112), as its bytes come. It knows what a sidecar and a proxy in front of it send,
 * and refuses everything else: a hold does not begin with a guess. `node:http` knows more, and takes 10 ms
 * longer to load and to use, which is a fifth of a short `update-lock run`.
 */
export class AnswerParser {
  #head: Head | null = null;
  #isOver = false;
  #step: 'status' | 'field' | 'size' | 'data' | 'data-end' | 'trailer' = 'status';
  #isChunked = false;
  /** Bytes of the body, or of the chunk, that are to come; `Infinity` if it ends with the connection. */
  #left = 0;
  /** As much of a line as is there, and how much more may come of it. */
  #line = '';
  #room = MAX_HEAD_LENGTH;
  #status = 0;
  #fields = new Map<string, string>();

  /** Null until it is all there. */
  get head(): Head | null {
    return this.#head;
  }

  /** Whether all of the answer has come. What follows is ignored: a connection is for one request. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /**
   * Takes the next bytes; returns what of the body is in them.
   * @throws if this is no answer that we know
   */
  feed(bytes: Buffer): Buffer[] {
    const body: Buffer[] = [];
    let at = 0;
    while (at < bytes.length && !this.#isOver) {
      if (this.#step === 'data') {
        const piece = bytes.subarray(at, at + this.#left);
        body.push(piece);
        at += piece.length;
        this.#left -= piece.length;
        if (this.#left === 0) this.#endData();
        continue;
      }
      const lineFeed = bytes.indexOf(0x0a, at);
      const end = lineFeed === -1 ? bytes.length : lineFeed + 1;
      this.#room -= end - at;
      if (this.#room < 0) throw new Error(this.#head === null ? 'the head of the answer does not end' : 'a chunk of the answer has no size');
      this.#line += bytes.toString('latin1', at, end);
      at = end;
      if (lineFeed !== -1) this.#takeLine();
    }
    return body;
  }

  /**
   * The connection has ended.
   * @throws if the answer has not
   */
  end(): void {
    if (this.#step === 'data' && this.#left === Infinity) this.#isOver = true;
    if (this.#isOver) return;
    throw new Error(this.#head === null ? 'the connection was closed without an answer' : 'the connection was closed in the middle of the answer');
  }

  #takeLine(): void {
    if (!this.#line.endsWith('\r\n')) throw new Error('the answer is not HTTP: a line has the wrong end');
    const line = this.#line.slice(0, -2);
    this.#line = '';
    switch (this.#step) {
      case 'status':
        this.#status = Number(match(STATUS_LINE, line)[1]);
        this.#fields = new Map();
        this.#step = 'field';
        return;
      case 'field':
        if (line === '') this.#endHead();
        else this.#takeField(line);
        return;
      case 'size':
        this.#left = Number.parseInt(match(CHUNK_SIZE_LINE, line)[1] ?? '', 16);
        this.#step = this.#left === 0 ? 'trailer' : 'data';
        this.#room = MAX_HEAD_LENGTH;
        return;
      case 'data-end':
        if (line !== '') throw new Error('a chunk of the answer is longer than its size');
        this.#expectSize();
        return;
      case 'trailer':
        if (line === '') this.#isOver = true;
        else match(FIELD_LINE, line);
        return;
      default:
    }
  }

  #takeField(line: string): void {
    const [, name = '', value = ''] = match(FIELD_LINE, line);
    const key = name.toLowerCase();
    const isFraming = key === 'content-length' || key === 'transfer-encoding';
    // Two readers could take such an answer for two different ones.
    if (isFraming && this.#fields.has(key)) throw new Error(`the answer has more than one ${name}`);
    if (!this.#fields.has(key)) this.#fields.set(key, value);
  }

  #endHead(): void {
    const status = this.#status;
    const fields = this.#fields;
    if (status === 101) throw new Error('the answer is of another protocol');
    if (status < 200) {
      this.#step = 'status';
      return;
    }
    const length = fields.get('content-length');
    const encoding = fields.get('transfer-encoding');
    if (encoding !== undefined && (encoding.toLowerCase() !== 'chunked' || length !== undefined)) {
      throw new Error('it is not clear how long the answer is');
    }
    if (length !== undefined && !LENGTH.test(length)) throw new Error('the length of the answer is no number');
    this.#head = { status, fields };
    this.#isChunked = encoding !== undefined;
    if (status === 204 || status === 304) this.#isOver = true;
    else if (this.#isChunked) this.#expectSize();
    else this.#expectData(length === undefined ? Infinity : Number(length));
  }

  #expectData(length: number): void {
    this.#left = length;
    this.#step = 'data';
    if (length === 0) this.#endData();
  }

  #expectSize(): void {
    this.#step = 'size';
    this.#room = MAX_SIZE_LINE_LENGTH;
  }

  #endData(): void {
    if (!this.#isChunked) {
      this.#isOver = true;
      return;
    }
    this.#step = 'data-end';
    this.#room = 2;
  }
}

function match(pattern: RegExp, line: string): RegExpExecArray {
  const found = pattern.exec(line);
  if (found === null) throw new Error(`the answer is not HTTP: ${JSON.stringify(line.slice(0, 80))}`);
  return found;
}
