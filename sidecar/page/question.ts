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
  readonly affected: () => readonly Affected[];
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
  #isAsking = false;

  constructor(private readonly onDone: () => void) {
    this.#no.addEventListener('click', () => { this.#dialog.close(); });
    this.#dialog.addEventListener('close', () => { this.#end(); });
    byId('question-form', HTMLFormElement).addEventListener('submit', (event) => {
      event.preventDefault();
      void this.#act();
    });
  }

  ask(question: Question): void {
    this.#question = question;
    setText(this.#title, question.title);
    setText(this.#text, question.text);
    setText(this.#yes, question.yes);
    setText(this.#tokenLabel, question.tokenName);
    this.#token.value = '';
    this.#showError('');
    this.#tokenField.hidden = !question.alwaysNeedsToken || token.value !== '';
    this.update();
    this.#dialog.showModal();
    (this.#tokenField.hidden ? this.#no : this.#token).focus();
  }

  /** The affected holders may change while the question is open. */
  update(): void {
    if (this.#question === null) return;
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
        this.#refuse(`${question.tokenName} is missing.`);
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
    if (answer.token !== undefined) {
      // A wrong token is not kept. An API token that may not do this stays: it is right for other actions.
      token.value = isTyped || answer.token === 'not-permitted' ? before : '';
      this.#tokenField.hidden = false;
    }
    this.#refuse(answer.message);
  }

  /** Shows why it failed. The error describes the field or the button that has the focus, so it is read out. */
  #refuse(message: string): void {
    this.#showError(message);
    if (this.#tokenField.hidden) {
      this.#yes.focus();
    } else {
      this.#token.focus();
      this.#token.select();
    }
  }

  #showError(message: string): void {
    setText(this.#error, message);
    this.#error.hidden = message === '';
    this.#token.setAttribute('aria-invalid', String(message !== '' && !this.#tokenField.hidden));
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
