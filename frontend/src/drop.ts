/** Lets a file be dropped on the field that it could also be chosen with. */
export function offerDrop(form: HTMLElement): void {
  const zone = form.querySelector<HTMLElement>('[data-drop-zone]');
  const field = form.querySelector<HTMLInputElement>('input[type=file]');
  if (!zone || !field) return;
  for (const kind of ['dragenter', 'dragover']) {
    zone.addEventListener(kind, (event) => {
      event.preventDefault();
      zone.classList.add('drop--over');
    });
  }
  for (const kind of ['dragleave', 'drop']) zone.addEventListener(kind, () => zone.classList.remove('drop--over'));
  zone.addEventListener('drop', (event) => {
    const files = (event as DragEvent).dataTransfer?.files;
    if (!files?.length) return;
    event.preventDefault();
    field.files = files;
    field.focus();
  });
}
