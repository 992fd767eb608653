import fc from 'fast-check';

/** One change of bytes. Places and lengths are parts of a whole that nobody knows yet, from 0 to 1. */
type Edit = (bytes: Buffer) => Buffer;

const part = fc.double({ min: 0, max: 1, noNaN: true });
const length = fc.oneof({ weight: 3, arbitrary: fc.integer({ min: 1, max: 8 }) }, { weight: 1, arbitrary: fc.integer({ min: 1, max: 3000 }) });
const inserted = fc.oneof(
  fc.uint8Array({ minLength: 1, maxLength: 20 }).map((each) => Buffer.from(each)),
  fc.constantFrom('\r\n', '\n', '\0', '\r\n\r\n', '"', '\\', '{', '}', '[', ']', ',', ':', ';', ' ', '-', '%', '0', '9'.repeat(30), '1e999', '\ud83d\ude00', 'A'.repeat(20_000)).map((each) => Buffer.from(each)),
);

const edit: fc.Arbitrary<Edit> = fc.oneof(
  fc.tuple(part, fc.integer({ min: 1, max: 255 })).map(([at, mask]): Edit => (bytes) => {
    const changed = Buffer.from(bytes);
    const index = Math.min(bytes.length - 1, Math.floor(at * bytes.length));
    if (index >= 0) changed[index] = (bytes[index] ?? 0) ^ mask;
    return changed;
  }),
  fc.tuple(part, length).map(([at, count]): Edit => (bytes) => {
    const from = Math.floor(at * bytes.length);
    return Buffer.concat([bytes.subarray(0, from), bytes.subarray(from + count)]);
  }),
  fc.tuple(part, inserted).map(([at, more]): Edit => (bytes) => {
    const from = Math.floor(at * bytes.length);
    return Buffer.concat([bytes.subarray(0, from), more, bytes.subarray(from)]);
  }),
  // A piece of it once more, somewhere else.
  fc.tuple(part, length, part).map(([at, count, to]): Edit => (bytes) => {
    const [from, into] = [Math.floor(at * bytes.length), Math.floor(to * bytes.length)];
    return Buffer.concat([bytes.subarray(0, into), bytes.subarray(from, from + count), bytes.subarray(into)]);
  }),
  part.map((at): Edit => (bytes) => bytes.subarray(0, Math.floor(at * bytes.length))),
  fc.constant<Edit>((bytes) => Buffer.concat([bytes, bytes])),
);

/** What comes of bytes that are right by a few changes. */
export function mutatedBytes(right: fc.Arbitrary<Buffer>): fc.Arbitrary<Buffer> {
  return fc.tuple(right, fc.array(edit, { minLength: 1, maxLength: 5 })).map(([bytes, edits]) => edits.reduce((each, change) => change(each), bytes));
}

export function mutatedText(right: fc.Arbitrary<string>): fc.Arbitrary<string> {
  return mutatedBytes(right.map((text) => Buffer.from(text))).map((bytes) => bytes.toString('utf8'));
}

const strange = fc.oneof(
  fc.constantFrom<unknown>(null, true, false, 0, -1, 0.5, 1e15, 1e300, -1e300, '', '0', 'x'.repeat(300), '\0', '\u202e', [], {}, [[]], '__proto__', 'until tomorrow'),
  fc.jsonValue({ maxDepth: 2 }),
);

/** What comes of JSON that is right if some of its values are others, missing, or more. */
export function mutatedJson(right: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  const changes = fc.array(fc.tuple(fc.nat(), fc.constantFrom('replace', 'remove', 'add'), fc.string({ maxLength: 8 }), strange), { minLength: 1, maxLength: 3 });
  return fc.tuple(right, changes).map(([value, all]) => {
    let changed = structuredClone(value);
    for (const [which, how, name, other] of all) {
      const places = placesIn(changed);
      const [owner, key] = places[which % (places.length + 1)] ?? [];
      if (owner === undefined || key === undefined) changed = how === 'replace' ? structuredClone(other) : changed;
      else if (how === 'remove') Reflect.deleteProperty(owner, key);
      // Not an assignment, which `__proto__` would not become a member by. The length of an array cannot be defined.
      else Object.defineProperty(owner, how === 'add' && name !== 'length' ? name : key, { value: structuredClone(other), enumerable: true, configurable: true, writable: true });
    }
    return changed;
  });
}

/** Every member in a value, however deep. */
function placesIn(value: unknown): [object, string][] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).filter(([key]) => key !== 'length').flatMap(([key, inner]): [object, string][] => [[value, key], ...placesIn(inner)]);
}
