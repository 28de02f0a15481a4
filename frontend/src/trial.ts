/**
 * The form that tries out the interface. It talks to this house alone; the token stays in its field and is forgotten
 * with the page. No library: the viewers that there are break our policy against inline styles, or the rules of
 * accessibility, and weigh more than all of our other scripts (decision on the developers' page).
 */

const MOST_SHOWN = 100_000;
const WITH_BODY = ['POST', 'PATCH', 'PUT'];

export function offerTrial(section: HTMLElement): void {
  const form = find<HTMLFormElement>(section, 'form');
  const method = find<HTMLSelectElement>(form, '[name=method]');
  const address = find<HTMLInputElement>(form, '[name=address]');
  const token = find<HTMLInputElement>(form, '[name=token]');
  const body = find<HTMLTextAreaElement>(form, '[name=body]');
  const bodyField = find<HTMLElement>(form, '[data-with-body]');
  const next = find<HTMLButtonElement>(section, '[data-next]');
  const root = form.dataset.root ?? '';

  const showBody = (): void => {
    bodyField.hidden = !WITH_BODY.includes(method.value);
  };

  const send = async (): Promise<void> => {
    const url = within(root, address.value.trim());
    next.hidden = true;
    if (!url) return show(section, form.dataset.foreign ?? '', '', '');
    const command = asCommand(method.value, url, token.value, bodyField.hidden ? '' : body.value);
    try {
      const answer = await fetch(url, {
        method: method.value,
        credentials: 'omit',
        cache: 'no-store',
        headers: {
          ...(token.value ? { Authorization: `Bearer ${token.value.trim()}` } : {}),
          ...(bodyField.hidden ? {} : { 'Content-Type': 'application/json' }),
        },
        ...(bodyField.hidden ? {} : { body: body.value }),
      });
      const text = await answer.text();
      const kept = ['ETag', 'Location'].flatMap((name) => {
        const value = answer.headers.get(name);
        return value ? [`${name}: ${value}`] : [];
      });
      const status = [`${answer.status} ${answer.statusText}`.trim(), ...kept].join(' · ');
      const { shown, link } = read(text);
      const long = shown.length > MOST_SHOWN;
      const words = long ? `${status} · ${form.dataset.shortened ?? ''}` : status;
      show(section, words, long ? shown.slice(0, MOST_SHOWN) : shown, command);
      const further = link ? within(root, link) : null;
      next.hidden = !further;
      next.onclick = () => {
        address.value = link.slice(link.indexOf(`${root}/`) + root.length + 1);
        void send();
      };
    } catch {
      show(section, form.dataset.failed ?? '', '', command);
    }
  };

  method.addEventListener('change', showBody);
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    void send();
  });
  for (const offer of document.querySelectorAll<HTMLElement>('[data-try]')) {
    offer.hidden = false;
    offer.addEventListener('click', (event) => {
      event.preventDefault();
      method.value = offer.dataset.method ?? 'GET';
      address.value = (offer.dataset.address ?? '').replace('{id}', '1');
      body.value = offer.dataset.body || '{\n  \n}';
      showBody();
      section.scrollIntoView();
      address.focus();
    });
  }
  showBody();
  section.hidden = false;
}

/** The address of something below the root; null for what leads elsewhere. */
function within(root: string, address: string): URL | null {
  try {
    const url = address.includes('://') ? new URL(address) : new URL(`${root}/${address.replace(/^\/+/, '')}`, location.origin);
    const inside = url.pathname === root || url.pathname.startsWith(`${root}/`);
    return url.origin === location.origin && inside ? url : null;
  } catch {
    return null;
  }
}

/** JSON laid out for reading, and where it goes on; other text as it is. */
function read(text: string): { shown: string; link: string } {
  try {
    const value: unknown = JSON.parse(text);
    const link = value && typeof value === 'object' ? (value as Record<string, unknown>)['@iot.nextLink'] : '';
    return { shown: JSON.stringify(value, null, 2), link: typeof link === 'string' ? link : '' };
  } catch {
    return { shown: text, link: '' };
  }
}

/** The request as a line for a shell; the token is named, not shown. */
function asCommand(method: string, url: URL, token: string, body: string): string {
  const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
  const parts = ['curl', ...(method === 'GET' ? ['-g'] : ['-g', '-X', method])];
  if (token) parts.push('-H "Authorization: Bearer $TOKEN"');
  if (body) parts.push("-H 'Content-Type: application/json'", '-d', quoted(body));
  return [...parts, quoted(url.href)].join(' ');
}

function show(section: HTMLElement, status: string, content: string, command: string): void {
  find(section, '[data-answer]').hidden = false;
  find(section, '[data-status]').textContent = status;
  find(section, '[data-content]').textContent = content;
  find(section, '[data-command]').textContent = command;
}

function find<T extends HTMLElement = HTMLElement>(within: ParentNode, selector: string): T {
  const found = within.querySelector<T>(selector);
  if (!found) throw new Error(`the page has no ${selector}`);
  return found;
}
