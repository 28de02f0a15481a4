/**
 * Messages of this browser. Nothing is asked before somebody presses the button; where browser or house cannot do it,
 * the section stays hidden and mail, feeds and calendars do the same.
 */

/** Show the section, and subscribe on a press. */
export function offerPush(section: HTMLElement): void {
  if (!('serviceWorker' in navigator) || !('PushManager' in window) || !('Notification' in window)) return;
  section.hidden = false;
  const form = section.querySelector('form')!;
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    void subscribe(section, form);
  });
  void showList(section, form);
}

async function subscribe(section: HTMLElement, form: HTMLFormElement): Promise<void> {
  const told = section.querySelector<HTMLElement>('[data-push-told]')!;
  const say = (what: string) => (told.textContent = section.dataset[what] ?? '');
  const button = form.querySelector('button')!;
  button.disabled = true;
  say('wait');
  try {
    if ((await Notification.requestPermission()) !== 'granted') {
      say('denied');
      return;
    }
    const { worker, scope, key } = section.dataset;
    await navigator.serviceWorker.register(worker!, { scope });
    const registration = await navigator.serviceWorker.ready;
    const options = { userVisibleOnly: true, applicationServerKey: bytes(key!) };
    const made = (await registration.pushManager.getSubscription()) ?? (await registration.pushManager.subscribe(options));
    const { endpoint, keys } = made.toJSON();
    const mine = await post(form, form.action, { endpoint: endpoint!, p256dh: keys!.p256dh!, auth: keys!.auth! });
    location.assign(`${mine}?confirmed=1`);
  } catch {
    say('failed');
  } finally {
    button.disabled = false;
  }
}

/** A link to the list of this browser, where it has one. */
async function showList(section: HTMLElement, form: HTMLFormElement): Promise<void> {
  const registration = await navigator.serviceWorker.getRegistration(section.dataset.scope);
  const known = await registration?.pushManager.getSubscription();
  const link = section.querySelector<HTMLAnchorElement>('[data-push-mine]')!;
  if (!known) return;
  const mine = await post(form, section.dataset.mine!, { endpoint: known.endpoint });
  if (!mine) return;
  link.href = mine;
  link.parentElement!.hidden = false;
}

async function post(form: HTMLFormElement, address: string, said: Record<string, string>): Promise<string> {
  const body = new FormData(form);
  for (const [name, value] of Object.entries(said)) body.set(name, value);
  const answer = await fetch(address, { method: 'POST', body, headers: { Accept: 'application/json' } });
  if (!answer.ok) throw new Error(`${answer.status}`);
  return ((await answer.json()) as { mine: string }).mine;
}

function bytes(text: string): Uint8Array<ArrayBuffer> {
  const plain = atob(text.replace(/-/g, '+').replace(/_/g, '/'));
  return Uint8Array.from(plain, (sign) => sign.charCodeAt(0));
}
