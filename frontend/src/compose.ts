/** Tiles can be dragged to another place. The buttons beside them do the same without a pointer. */
export function offerDragging(form: HTMLFormElement): void {
  const list = form.querySelector<HTMLElement>('ol')!;
  let held: HTMLElement | null = null;
  for (const tile of list.querySelectorAll<HTMLElement>('[data-id]')) {
    tile.draggable = true;
    tile.addEventListener('dragstart', () => {
      held = tile;
    });
    tile.addEventListener('dragover', (event) => {
      if (!held || held === tile) return;
      event.preventDefault();
      tile.classList.add('is-over');
    });
    tile.addEventListener('dragleave', () => tile.classList.remove('is-over'));
    tile.addEventListener('drop', (event) => {
      event.preventDefault();
      tile.classList.remove('is-over');
      if (!held || held === tile) return;
      const after = held.compareDocumentPosition(tile) & Node.DOCUMENT_POSITION_FOLLOWING;
      tile[after ? 'after' : 'before'](held);
      send(form, list);
    });
  }
}

/** The page comes anew with the new order, so that its buttons fit it. */
function send(form: HTMLFormElement, list: HTMLElement): void {
  const said = { do: 'order:', order: [...list.querySelectorAll<HTMLElement>('[data-id]')].map((t) => t.dataset.id).join(',') };
  for (const [name, value] of Object.entries(said)) {
    const field = document.createElement('input');
    field.type = 'hidden';
    field.name = name;
    field.value = value;
    form.append(field);
  }
  form.submit();
}
