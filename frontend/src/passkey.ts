/**
 * Passkeys (WebAuthn). A form that says `data-passkey` asks the device for one before it is sent: `create` makes one,
 * `get` shows one, both with the options that stand in the page; `login` fetches its options first, since only then a
 * challenge is kept for this visitor. The server's answers and ours are WebAuthn's own JSON form.
 */

type Options = Record<string, { publicKey: PublicKeyCredentialCreationOptionsJSON & PublicKeyCredentialRequestOptionsJSON }>;

export function offerPasskeys(forms: Iterable<HTMLFormElement>): void {
  if (!('PublicKeyCredential' in window) || !('parseCreationOptionsFromJSON' in PublicKeyCredential)) return;
  for (const section of document.querySelectorAll<HTMLElement>('[data-with-passkeys]')) section.hidden = false;
  for (const form of forms) {
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      void send(form);
    });
  }
}

async function send(form: HTMLFormElement): Promise<void> {
  const failed = form.querySelector<HTMLElement>('[data-passkey-failed]');
  const field = form.querySelector<HTMLInputElement>('[name=credential]');
  if (!field) return;
  if (failed) failed.hidden = true;
  try {
    const credential = await ask(form);
    if (!credential) throw new Error('no passkey was given');
    field.value = JSON.stringify((credential as PublicKeyCredential).toJSON());
    form.submit();
  } catch {
    // Broken off by the person, or the device has none that fits: both are theirs to know.
    if (failed) failed.hidden = false;
  }
}

async function ask(form: HTMLFormElement): Promise<Credential | null> {
  if (form.dataset.passkey === 'create') {
    const wanted = kept().creation_options?.publicKey;
    const alone = form.querySelector<HTMLInputElement>('[name=passwordless]')?.checked ?? false;
    if (!wanted) return null;
    const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(wanted);
    publicKey.authenticatorSelection = {
      ...publicKey.authenticatorSelection,
      residentKey: alone ? 'required' : 'discouraged',
      requireResidentKey: alone,
      ...(alone ? { userVerification: 'required' as const } : {}),
    };
    return navigator.credentials.create({ publicKey });
  }
  const options = form.dataset.passkey === 'login' ? await fetched(form.action) : kept();
  const wanted = options.request_options?.publicKey;
  return wanted ? navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(wanted) }) : null;
}

function kept(): Options {
  return JSON.parse(document.getElementById('passkey')?.textContent ?? '{}') as Options;
}

async function fetched(address: string): Promise<Options> {
  const answer = await fetch(address, { headers: { Accept: 'application/json' } });
  if (!answer.ok) throw new Error(`${answer.status}`);
  return (await answer.json()) as Options;
}
