/** One thing that `/readyz` looks at. */
export interface Check {
  readonly name: string;
  /** Whether the server can do its work as far as this goes. */
  readonly ok: boolean;
  /** What is wrong, or that nothing is. */
  readonly detail: string;
  /** Something is wrong that does not keep the server from its work. */
  readonly warning?: boolean;
}

/** What the parts of a server offer to be looked at; in the order in which they were added. */
export class Checks {
  readonly #sources: (() => Check)[] = [];

  add(source: () => Check): void {
    this.#sources.push(source);
  }

  all(): Check[] {
    return this.#sources.map((source) => source());
  }
}

/** A check that fails while there is a problem. */
export function toCheck(name: string, problem: string | null, well: string): Check {
  return { name, ok: problem === null, detail: problem ?? well };
}

/** A check that warns while there is a problem. */
export function toWarning(name: string, problem: string | null, well: string): Check {
  return problem === null ? { name, ok: true, detail: well } : { name, ok: true, warning: true, detail: problem };
}
