/** The time slider: steps back from now, by hand or played; where less motion is asked for, one step for each press. */
import { language, say, serverNow, still, zone } from '../page';

const STEPS = 96;
const PAUSE = 900; // ms between two steps that are played

const words = new Intl.DateTimeFormat(language, {
  weekday: 'short', day: 'numeric', month: 'short', year: 'numeric', hour: '2-digit', minute: '2-digit', timeZone: zone,
}); // prettier-ignore
const plain = new Intl.DateTimeFormat('sv-SE', {
  year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit', timeZone: zone,
}); // prettier-ignore

/** A date and time of the city's clock as milliseconds since 1970. */
export function fromLocal(text: string): number {
  const guess = Date.parse(`${text}Z`);
  const off = (moment: number) => Date.parse(`${plain.format(moment).replace(' ', 'T')}Z`) - moment;
  const once = guess - off(guess);
  return guess - off(once);
}

/** Day and time by the city's clock. */
export function sayMoment(moment: number): string {
  return words.format(moment);
}

export interface Clock {
  /** What is shown: milliseconds since 1970, null for now. */
  at: () => number | null;
}

/** Let a time be chosen; `change` shows the values of it and ends when they are there. */
export function offerTime(root: HTMLElement, first: number | null, change: () => Promise<void>): Clock {
  let at = first;
  const panel = root.querySelector<HTMLElement>('[data-atlas-time]');
  if (!panel) return { at: () => at };
  const part = <T extends HTMLElement>(name: string) => panel.querySelector<T>(`[data-atlas-${name}]`)!;
  const field = panel.querySelector<HTMLInputElement>('#at')!;
  const slide = part<HTMLInputElement>('slide');
  const step = part<HTMLSelectElement>('step');
  const play = part<HTMLButtonElement>('play');
  const moment = part<HTMLOutputElement>('moment');
  part('steps').hidden = part('slider').hidden = false;
  slide.max = String(STEPS);
  let end = 0;
  let waiting = 0;
  let playing = 0;

  const width = () => Number(step.value) * 1000;
  /** Where the slider ends: now, unless what is shown lies further back than it reaches. */
  const reach = () => {
    const now = Math.floor(serverNow() / width()) * width();
    end = at === null || at >= now - STEPS * width() ? now : at + (STEPS / 2) * width();
  };
  const show = () => {
    const place = at === null ? STEPS : Math.max(0, Math.min(STEPS, STEPS - Math.round((end - at) / width())));
    slide.value = String(place);
    const said = at === null ? say('now') : words.format(at);
    moment.textContent = said;
    slide.setAttribute('aria-valuetext', said);
    field.value = at === null ? '' : plain.format(at).replace(' ', 'T');
  };
  const go = async (next: number | null) => {
    at = next;
    show();
    await change();
  };
  const atPlace = (place: number) => (place >= STEPS && end >= serverNow() - width() ? null : end - (STEPS - place) * width());
  const label = () => {
    const name = still() ? 'forward' : playing ? 'pause' : 'play';
    play.querySelector('.kern-label')!.textContent = say(name);
    if (!still()) play.setAttribute('aria-pressed', String(playing > 0));
  };
  const stop = () => {
    playing = 0;
    label();
  };
  const forward = () => {
    const place = Number(slide.value);
    return atPlace(place >= STEPS ? 0 : place + 1);
  };
  const run = async (turn: number) => {
    while (playing === turn) {
      await go(forward());
      if (Number(slide.value) >= STEPS) stop();
      await new Promise((done) => setTimeout(done, PAUSE));
    }
  };

  slide.addEventListener('input', () => {
    stop();
    clearTimeout(waiting);
    at = atPlace(Number(slide.value));
    show();
    waiting = window.setTimeout(() => void change(), 120);
  });
  field.addEventListener('change', () => {
    stop();
    at = field.value ? fromLocal(field.value) : null;
    reach();
    void go(at);
  });
  step.addEventListener('change', () => {
    reach();
    show();
  });
  part('now').addEventListener('click', () => {
    stop();
    at = null;
    reach();
    void go(null);
  });
  play.addEventListener('click', () => {
    if (still()) void go(forward());
    else if (playing) stop();
    else {
      playing = Date.now();
      label();
      void run(playing);
    }
  });
  matchMedia('(prefers-reduced-motion: reduce)').addEventListener('change', stop);
  reach();
  show();
  label();
  return { at: () => at };
}
