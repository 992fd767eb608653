import { byId } from './elements';

/** What an admin wants to do. */
export interface Question {
  readonly title: string;
  readonly text: string;
  readonly yes: string;
  readonly method: 'PUT' | 'DELETE';
  readonly path: string;
  readonly body?: unknown;
  readonly onDone: () => void;
}

const KEY = 'update-lock-coordinator-token';

const dialog = byId('question', HTMLDialogElement);
const input = byId('token', HTMLInputElement);
const yes = byId('question-yes', HTMLButtonElement);
const error = byId('question-error', HTMLElement);
let asked: Question | null = null;

byId('question-no', HTMLButtonElement).addEventListener('click', () => { dialog.close(); });
byId('question-form', HTMLFormElement).addEventListener('submit', (event) => {
  event.preventDefault();
  if (asked !== null) void answer(asked);
});

/** Asks whether the reader is sure, and for the token; then does it. */
export function ask(question: Question): void {
  asked = question;
  byId('question-title', HTMLElement).textContent = question.title;
  byId('question-text', HTMLElement).textContent = question.text;
  yes.textContent = question.yes;
  input.value = sessionStorage.getItem(KEY) ?? '';
  error.hidden = true;
  dialog.showModal();
}

async function answer({ method, path, body, onDone }: Question): Promise<void> {
  const problem = await send(method, path, body);
  error.textContent = problem;
  error.hidden = problem === null;
  if (problem !== null) return;
  sessionStorage.setItem(KEY, input.value);
  dialog.close();
  onDone();
}

/** Null if it was done; else why not. */
async function send(method: string, path: string, body: unknown): Promise<string | null> {
  if (!/^[\x21-\x7e]+$/.test(input.value)) return 'This is not a token: a token consists of ASCII characters without spaces.';
  try {
    const headers = { Authorization: `Bearer ${input.value}`, ...(body === undefined ? {} : { 'Content-Type': 'application/json' }) };
    const response = await fetch(path, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
    if (response.ok) return null;
    const { detail } = (await response.json()) as { detail?: unknown };
    return typeof detail === 'string' ? detail : `The answer was ${String(response.status)}.`;
  } catch {
    return 'The coordinator cannot be reached.';
  }
}
