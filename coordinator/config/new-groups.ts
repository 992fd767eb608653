/** The slots of groups that do not exist yet. */
export interface NewGroups {
  readonly slots: ReadonlyMap<string, number>;
  /** For a name that is not listed; null if such a group is not made. */
  readonly slotsOfAny: number | null;
}

/** FleetLock's own rule for the names of groups, with a bound. */
export const GROUP_PATTERN = /^[a-zA-Z0-9.-]{1,64}$/;

/** More than any group can have devices. */
export const MAX_SLOTS = 1_000_000;

const ALLOWED = 'NAME=SLOTS, several separated by ";", is allowed, and *=SLOTS for any other name';

/** Reads `default=1; canary=5; *=1`. Throws an error that says what is allowed. */
export function parseNewGroups(text: string): NewGroups {
  const slots = new Map<string, number>();
  let slotsOfAny: number | null = null;
  for (const item of text.split(';').map((each) => each.trim()).filter((each) => each !== '')) {
    const [, name = '', digits = ''] = /^([^=]*?)\s*=\s*(\d{1,7})$/.exec(item) ?? [];
    if (digits === '' || Number(digits) > MAX_SLOTS) throw new Error(`has ${JSON.stringify(item)} in it; ${ALLOWED}`);
    if (name !== '*' && !GROUP_PATTERN.test(name)) {
      throw new Error(`has the group ${JSON.stringify(name)} in it; the name of a group is up to 64 of A to Z, a to z, 0 to 9, "." and "-"`);
    }
    if (slots.has(name) || (name === '*' && slotsOfAny !== null)) throw new Error(`names ${JSON.stringify(name)} twice`);
    if (name === '*') slotsOfAny = Number(digits);
    else slots.set(name, Number(digits));
  }
  return { slots, slotsOfAny };
}
