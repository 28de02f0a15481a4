/**
 * The search field as a combobox (WAI-ARIA 1.2, "Editable Combobox With List Autocomplete"): suggestions of the server
 * below it, chosen with arrow keys and Enter. Without them the form is sent as it is.
 */
import { say } from '../page';
import { ask } from './data';

export interface Hit {
  kind: 'address' | 'street' | 'district' | 'thing';
  words: string;
  name: string;
  detail: string;
  near: boolean;
  id: string;
  lon: number;
  lat: number;
}

const WAIT = 150; // ms without a key before the server is asked
const LEAST = 2;

/** Offer suggestions; `choose` hears of the one that was taken. */
export function offerSearch(root: HTMLElement, choose: (hit: Hit) => void): void {
  const field = root.querySelector<HTMLInputElement>('[data-atlas-q]');
  const box = field?.parentElement?.querySelector<HTMLElement>('[role=listbox]');
  const heard = root.querySelector<HTMLElement>('[data-atlas-heard]');
  if (!field || !box) return;
  field.setAttribute('role', 'combobox');
  field.setAttribute('aria-autocomplete', 'list');
  field.setAttribute('aria-expanded', 'false');
  field.setAttribute('aria-controls', box.id);
  let hits: Hit[] = [];
  let active = -1;
  let waiting = 0;
  let asking: AbortController | null = null;

  const mark = (place: number) => {
    active = place;
    [...box.children].forEach((option, number) => option.setAttribute('aria-selected', String(number === place)));
    const option = box.children[place];
    if (option) {
      field.setAttribute('aria-activedescendant', option.id);
      option.scrollIntoView({ block: 'nearest' });
    } else field.removeAttribute('aria-activedescendant');
  };
  const close = () => {
    box.hidden = true;
    field.setAttribute('aria-expanded', 'false');
    mark(-1);
  };
  const take = (hit: Hit) => {
    field.value = hit.detail ? `${hit.name}, ${hit.detail}` : hit.name;
    clearTimeout(waiting);
    asking?.abort();
    close();
    choose(hit);
  };
  const show = () => {
    box.replaceChildren(
      ...hits.map((hit, number) => {
        const option = document.createElement('li');
        option.id = `${box.id}-${number}`;
        option.setAttribute('role', 'option');
        const name = document.createElement('strong');
        name.textContent = hit.name;
        const more = document.createElement('span');
        more.textContent = [hit.detail, hit.near ? say('nearest') : hit.words].filter(Boolean).join(' · ');
        option.append(name, ' ', more);
        option.addEventListener('pointerdown', (event) => {
          event.preventDefault(); // the field keeps the focus
          take(hit);
        });
        return option;
      }),
    );
    box.hidden = hits.length === 0;
    field.setAttribute('aria-expanded', String(hits.length > 0));
    mark(-1);
    if (heard) heard.textContent = hits.length ? say('suggestions', String(hits.length)) : say('noSuggestion');
  };
  const look = async () => {
    asking?.abort();
    const text = field.value.trim();
    if (text.length < LEAST) {
      hits = [];
      close();
      return;
    }
    asking = new AbortController();
    try {
      const found = await ask<{ found: Hit[] }>(root.dataset.suggest!, new URLSearchParams({ q: text }), asking.signal);
      if (!found) return;
      hits = found.found;
      show();
    } catch (error) {
      console.warn('search', error); // the form can still be sent
    }
  };
  field.addEventListener('input', () => {
    clearTimeout(waiting);
    waiting = window.setTimeout(() => void look(), WAIT);
  });
  field.addEventListener('blur', close);
  field.addEventListener('keydown', (event) => {
    const open = !box.hidden;
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault();
      if (!open) {
        if (hits.length) show();
        else void look();
        return;
      }
      const step = event.key === 'ArrowDown' ? 1 : -1;
      const from = active < 0 && step < 0 ? hits.length : active;
      mark((from + step + hits.length) % hits.length);
    } else if (event.key === 'Escape' && open) {
      event.preventDefault();
      event.stopPropagation();
      close();
    } else if (event.key === 'Enter' && open && active >= 0) {
      event.preventDefault();
      take(hits[active]!);
    }
  });
}

/** On the list: what was chosen is sent with the form. */
export function offerListSearch(root: HTMLElement): void {
  const form = root.querySelector<HTMLFormElement>('form[data-atlas-form]')!;
  const near = form.querySelector<HTMLInputElement>('[data-atlas-near]')!;
  form.querySelector('[data-atlas-q]')!.addEventListener('input', () => (near.value = ''));
  offerSearch(root, (hit) => {
    const district = document.querySelector<HTMLSelectElement>('#district');
    if (hit.kind === 'district' && district) {
      district.value = hit.id;
      form.querySelector<HTMLInputElement>('[data-atlas-q]')!.value = '';
    } else near.value = `${hit.lon},${hit.lat}`;
    form.requestSubmit();
  });
}
