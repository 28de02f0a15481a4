/** Ctrl + Enter (or Cmd + Enter) in an editor sends its form. Tab stays what it is, so that nobody is caught in it. */
export function offerRunKeys(editor: HTMLTextAreaElement): void {
  editor.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    editor.form?.requestSubmit();
  });
  const hint = editor.form?.querySelector<HTMLElement>('[data-run-hint]');
  if (hint) hint.hidden = false;
}
