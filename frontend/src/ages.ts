import { language, learnClock, serverNow } from './page';

const relative = new Intl.RelativeTimeFormat(language, { numeric: 'always' });

/** "3 minutes ago" in the page's language; the same steps as `say_age` on the server. */
export function sayAge(moment: number): string {
  const minutes = Math.floor((serverNow() - moment) / 60_000);
  if (minutes < 1) return document.body.dataset.justNow ?? relative.format(0, 'minute');
  if (minutes < 60) return relative.format(-minutes, 'minute');
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return relative.format(-hours, 'hour');
  return relative.format(-Math.floor(hours / 24), 'day');
}

/** Count all ages of the page on. */
export function refreshAges(): void {
  for (const element of document.querySelectorAll<HTMLTimeElement>('time[data-age]')) {
    const words = sayAge(Date.parse(element.dateTime));
    if (element.textContent !== words) element.textContent = words;
  }
}

/** Count on every 15 seconds, while the page is seen. */
export function keepAgesFresh(): void {
  if (!learnClock(false)) refreshAges();
  setInterval(() => {
    if (!document.hidden) refreshAges();
  }, 15_000);
}
