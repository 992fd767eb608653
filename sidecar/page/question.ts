import { token, type Answer } from './api';
import { byId, element, said, setText } from './elements';

/** Who is cut off if the answer is yes. */
export interface Affected {
  readonly name: string;
  readonly reason: string;
}

export interface Question {
  readonly title: string;
  readonly text: string;
  readonly yes: string;
  /** What the token is called that this needs. */
  readonly tokenName: string;
  readonly alwaysNeedsToken: boolean;
  readonly affected: () => readonly Affected[];
  readonly act: () => Promise<Answer>;
  /** Where the reader goes on, if what was asked about is not on the page any more. */
  readonly after: HTMLElement;
}

/** Asks before somebody is cut off, and for the token where one is needed. One question at a time. */
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

  /** Who is affected may change while the question is open. */
  update(): void {
    if (this.#question === null) return;
    const items = this.#question.affected().map(({ name, reason }) =>
      element('li', '', element('strong', '', said(name)), ...(reason === '' ? [] : [' ', element('span', 'reason', said(reason))])),
    );
    const text = items.map((item) => item.textContent).join('\n');
    if (this.#affected.dataset['text'] === text) return;
    this.#affected.dataset['text'] = text;
    this.#affected.replaceChildren(...(items.length > 0 ? items : [element('li', 'nobody', 'Nobody: no lease is live.')]));
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
      // What does not do is not kept; an API token that is no admin token has done for something else.
      token.value = isTyped || answer.token === 'not-enough' ? before : '';
      this.#tokenField.hidden = false;
    }
    this.#refuse(answer.words);
  }

  /** Says why not, where the reader is: the field and the button are described by it. */
  #refuse(words: string): void {
    this.#showError(words);
    if (this.#tokenField.hidden) {
      this.#yes.focus();
    } else {
      this.#token.focus();
      this.#token.select();
    }
  }

  #showError(words: string): void {
    setText(this.#error, words);
    this.#error.hidden = words === '';
    this.#token.setAttribute('aria-invalid', String(words !== '' && !this.#tokenField.hidden));
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
    // The browser goes back to the button that asked; what is not there any more cannot have the focus.
    requestAnimationFrame(() => {
      if (document.activeElement === document.body) after?.focus();
    });
  }
}
