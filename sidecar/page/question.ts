import { token, type Answer } from './api';
import { appText, byId, element, setText } from './elements';

/** A holder that is interrupted if the answer is yes. */
export interface Affected {
  readonly name: string;
  readonly reason: string;
}

export interface Question {
  readonly title: string;
  readonly text: string;
  readonly yes: string;
  /** The name of the token that the action may need. */
  readonly tokenName: string;
  readonly alwaysNeedsToken: boolean;
  /** Who is interrupted; left out where nobody is. */
  readonly affected?: () => readonly Affected[];
  /** What has to be filled in, in the dialog; the first field gets the focus. */
  readonly fields?: HTMLElement;
  readonly act: () => Promise<Answer>;
  /** Gets the focus if the button that asked is no longer on the page. */
  readonly after: HTMLElement;
}

/** Asks before somebody is interrupted, and for the token where one is needed. One question at a time. */
export class Asking {
  readonly #dialog = byId('question', HTMLDialogElement);
  readonly #title = byId('question-title', HTMLElement);
  readonly #text = byId('question-text', HTMLElement);
  readonly #affected = byId('question-affected', HTMLElement);
  readonly #error = byId('question-error', HTMLElement);
  readonly #tokenField = byId('token-field', HTMLElement);
  readonly #tokenLabel = byId('token-label', HTMLElement);
  readonly #token = byId('token', HTMLInputElement);
  readonly #no = byId('question-no', HTMLButtonElement);
  readonly #yes = byId('question-yes', HTMLButtonElement);
  #question: Question | null = null;
  #fields: HTMLElement | undefined;
  #isAsking = false;

  constructor(private readonly onDone: () => void) {
    this.#no.addEventListener('click', () => { this.#dialog.close(); });
    this.#dialog.addEventListener('close', () => { this.#end(); });
    byId('question-form', HTMLFormElement).addEventListener('submit', (event) => {
      event.preventDefault();
      void this.#act();
    });
  }

  /** Acts at once if the token is known, and asks only if that fails. */
  async attempt(question: Question): Promise<void> {
    if (token.value === '') {
      this.ask(question);
      return;
    }
    const answer = await question.act();
    if (answer.ok) {
      this.onDone();
      return;
    }
    this.ask(question);
    this.#failed(answer);
  }

  ask(question: Question): void {
    this.#question = question;
    if (this.#fields !== undefined) this.#fields.hidden = true;
    this.#fields = question.fields;
    if (this.#fields !== undefined) this.#fields.hidden = false;
    this.#affected.hidden = question.affected === undefined;
    this.#yes.className = question.affected === undefined ? 'primary' : 'danger';
    setText(this.#title, question.title);
    setText(this.#text, question.text);
    setText(this.#yes, question.yes);
    setText(this.#tokenLabel, question.tokenName);
    this.#token.value = '';
    this.#showError('');
    this.#tokenField.hidden = !question.alwaysNeedsToken || token.value !== '';
    this.update();
    this.#dialog.showModal();
    (this.#fields?.querySelector('input') ?? (this.#tokenField.hidden ? this.#no : this.#token)).focus();
  }

  /** The affected holders may change while the question is open. */
  update(): void {
    if (this.#question?.affected === undefined) return;
    const items = this.#question.affected().map(({ name, reason }) =>
      element('li', '', element('strong', '', appText(name)), ...(reason === '' ? [] : [' ', element('span', 'reason', appText(reason))])),
    );
    const text = items.map((item) => item.textContent).join('\n');
    if (this.#affected.dataset['text'] === text) return;
    this.#affected.dataset['text'] = text;
    this.#affected.replaceChildren(...(items.length > 0 ? items : [element('li', 'nobody', 'Nobody has a lease.')]));
  }

  async #act(): Promise<void> {
    const question = this.#question;
    if (question === null || this.#isAsking) return;
    const before = token.value;
    const isTyped = !this.#tokenField.hidden;
    if (isTyped) {
      if (this.#token.value === '') {
        this.#refuse(`${question.tokenName} is missing.`, this.#token);
        return;
      }
      token.value = this.#token.value;
    }
    this.#setAsking(true);
    const answer = await question.act();
    this.#setAsking(false);
    if (this.#question !== question) return;
    if (answer.ok) {
      this.#dialog.close();
      return;
    }
    this.#failed(answer, isTyped ? before : undefined);
  }

  /**
   * A typed token is kept only once it was right, and a wrong one is forgotten. An API token that may not do this stays: it is right for
   * other actions.
   * @param before the token that was known before another was typed, if one was
   */
  #failed({ token: problem, message }: Answer & { ok: false }, before?: string): void {
    if (before !== undefined) token.value = before;
    else if (problem === 'wrong') token.value = '';
    if (problem !== undefined) this.#tokenField.hidden = false;
    this.#refuse(message, problem === undefined ? this.#fields?.querySelector('input') : this.#token);
  }

  /** Shows why it failed. The error describes the field or the button that has the focus, so it is read out. */
  #refuse(message: string, field: HTMLInputElement | null | undefined): void {
    this.#showError(message, field);
    if (field === null || field === undefined) {
      this.#yes.focus();
    } else {
      field.focus();
      field.select();
    }
  }

  #showError(message: string, at?: HTMLInputElement | null): void {
    setText(this.#error, message);
    this.#error.hidden = message === '';
    for (const input of this.#dialog.querySelectorAll('input')) input.setAttribute('aria-invalid', String(input === at));
  }

  #setAsking(isAsking: boolean): void {
    this.#isAsking = isAsking;
    this.#dialog.setAttribute('aria-busy', String(isAsking));
  }

  #end(): void {
    const { after } = this.#question ?? {};
    this.#question = null;
    this.#token.value = '';
    this.onDone();
    // The browser returns the focus to the button that asked, unless that is no longer on the page.
    requestAnimationFrame(() => {
      if (document.activeElement === document.body) after?.focus();
    });
  }
}
