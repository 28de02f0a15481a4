/**
 * "Near my position": asked for only when pressed. The position is rounded here, so that the exact one never leaves the
 * device; the form then asks as it would for an address.
 */

const PLACES = 3; // about 100 metres: enough to sort car parks, too little for a doorstep

/** Offer the button of the form that asks for car parks. */
export function offerMyPlace(form: HTMLFormElement): void {
  const box = form.querySelector<HTMLElement>('[data-my-place]');
  if (!box || !('geolocation' in navigator)) return;
  const near = form.elements.namedItem('near') as HTMLInputElement;
  const to = form.elements.namedItem('to') as HTMLInputElement;
  box.hidden = false;
  to.addEventListener('input', () => (near.value = ''));
  box.querySelector('button')!.addEventListener('click', () => {
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => {
        near.value = `${coords.longitude.toFixed(PLACES)},${coords.latitude.toFixed(PLACES)}`;
        to.value = '';
        form.requestSubmit();
      },
      () => {
        box.querySelector('[data-my-place-words]')!.textContent = form.dataset.failed!;
      },
      { timeout: 10_000, maximumAge: 60_000 },
    );
  });
}
