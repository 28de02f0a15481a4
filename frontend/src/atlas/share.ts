/** The address of what is seen, the frame for other pages, and printing. */
import { language, say, zone } from '../page';

/** Let the address and the frame be copied. */
export function offerCopies(root: HTMLElement): void {
  const panel = root.querySelector<HTMLElement>('[data-atlas-share]');
  if (!panel) return;
  panel.hidden = false;
  const told = panel.querySelector<HTMLElement>('[data-atlas-told]')!;
  for (const button of panel.querySelectorAll<HTMLButtonElement>('[data-atlas-copy]')) {
    button.addEventListener('click', () => {
      const field = document.getElementById(button.dataset.atlasCopy!) as HTMLInputElement | HTMLTextAreaElement;
      field.select();
      navigator.clipboard?.writeText(field.value).then(
        () => (told.textContent = say('copied')),
        () => undefined, // it is selected: the reader can copy it by hand
      );
    });
  }
}

/** Write the address of what is seen where it is shown. */
export function showAddress(root: HTMLElement, query: string): void {
  const here = root.dataset.home!;
  const link = root.querySelector<HTMLInputElement>('[data-atlas-link]');
  if (link) link.value = new URL(`${here}${query}`, location.href).href;
  const list = root.querySelector<HTMLAnchorElement>('[data-atlas-list]');
  if (list) list.href = `${root.dataset.list!}${query}`;
  const frame = root.querySelector<HTMLTextAreaElement>('[data-atlas-frame]');
  if (frame) {
    const escape = (text: string) => text.replace(/&/g, '&amp;').replace(/"/g, '&quot;');
    const address = escape(new URL(`${frame.dataset.atlasFrame!}${query}`, location.href).href);
    const title = escape(frame.dataset.title!);
    frame.value = `<iframe src="${address}" title="${title}" width="100%" height="560" loading="lazy"></iframe>`;
  }
}

/** Print in light colours, whatever the screen has; `drawn` waits until the map is drawn so. */
export function offerPrint(root: HTMLElement, drawn: () => Promise<void>): void {
  const date = new Intl.DateTimeFormat(language, { dateStyle: 'long', timeStyle: 'short', timeZone: zone });
  const words = root.querySelector<HTMLElement>('[data-atlas-printed]');
  const say_ = () => {
    if (words) words.textContent = `${say('printedOn', date.format(new Date()))} · ${location.href}`;
  };
  window.addEventListener('beforeprint', say_);
  root.querySelector('[data-atlas-print]')?.addEventListener('click', () => {
    const page = document.documentElement;
    const before = page.dataset.kernTheme;
    const turn = (theme: string | undefined) => {
      if (theme === undefined) delete page.dataset.kernTheme;
      else page.dataset.kernTheme = theme;
      document.dispatchEvent(new Event('allmende:theme'));
    };
    turn('light');
    void drawn().then(() => {
      window.print();
      turn(before);
    });
  });
}
