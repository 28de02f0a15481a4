/**
 * The explorer's page around its panel: its address, links and forms say what is seen now; values that go on until now
 * are fetched anew, unless that is paused.
 */
import { isPaused, setPaused } from './calm';
import type { Shown } from './series';

const FRESH = 60_000;

/** Keep the page in step with what its panel shows. */
export function followPanel(page: HTMLElement): void {
  const opened = new URL(location.href);
  page.addEventListener('allmende:series', (event) => shown(page, opened, (event as CustomEvent<Shown>).detail));
  page.addEventListener('allmende:series-view', (event) => {
    const address = new URL(location.href);
    if ((event as CustomEvent<{ table: boolean }>).detail.table) address.searchParams.set('view', 'table');
    else address.searchParams.delete('view');
    history.replaceState(null, '', address);
  });
  const live = page.querySelector<HTMLElement>('[data-series-live]');
  const panel = page.querySelector<HTMLElement>('[data-moving]');
  if (live && panel) follow(live, panel);
}

function shown(page: HTMLElement, opened: URL, detail: Shown): void {
  const span = { from: new Date(detail.from * 1000).toISOString(), to: new Date(detail.to * 1000).toISOString() };
  const address = new URL(location.href);
  for (const name of ['from', 'to'] as const) {
    const first = opened.searchParams.get(name);
    if (!detail.whole) address.searchParams.set(name, span[name]);
    else if (first === null) address.searchParams.delete(name);
    else address.searchParams.set(name, first);
  }
  history.replaceState(null, '', address);
  for (const link of page.querySelectorAll<HTMLAnchorElement>(
    '[data-series-download], [data-series-permalink], [data-series-origin]',
  )) {
    const target = new URL(link.href);
    target.searchParams.set('from', span.from);
    target.searchParams.set('to', span.to);
    if (link.matches('[data-series-download]')) target.searchParams.set('points', String(detail.points));
    link.href = target.href;
  }
  for (const field of page.querySelectorAll<HTMLInputElement>('[data-series-from]')) field.value = span.from;
  for (const field of page.querySelectorAll<HTMLInputElement>('[data-series-to]')) field.value = span.to;
}

function follow(live: HTMLElement, panel: HTMLElement): void {
  const button = live.querySelector<HTMLButtonElement>('[data-series-pause]')!;
  const label = button.querySelector<HTMLElement>('.kern-label')!;
  const say = () => {
    label.textContent = (isPaused() ? label.dataset.resume : label.dataset.pause) ?? '';
  };
  button.removeAttribute('aria-pressed'); // its words say what it does
  button.addEventListener('click', () => {
    setPaused(!isPaused());
    say();
  });
  say();
  live.hidden = false;
  setInterval(() => {
    // Whoever reads a value keeps it: nothing moves under the reading point.
    const reading = panel.contains(document.activeElement) || panel.matches(':hover');
    if (!document.hidden && !isPaused() && !reading) panel.dispatchEvent(new Event('allmende:reload'));
  }, FRESH);
}
