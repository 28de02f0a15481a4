/** The switch for light and dark. The choice stays in this browser; early.js applies it before the page is drawn. */
export function offerThemes(): void {
  const box = document.querySelector<HTMLElement>('[data-theme-switch]');
  if (!box) return;
  const root = document.documentElement;
  const chosen = root.dataset.kernTheme ?? 'auto';
  for (const input of box.querySelectorAll('input')) {
    input.checked = input.value === chosen;
    input.addEventListener('change', () => {
      if (input.value === 'auto') delete root.dataset.kernTheme;
      else root.dataset.kernTheme = input.value;
      try {
        if (input.value === 'auto') localStorage.removeItem('theme');
        else localStorage.setItem('theme', input.value);
      } catch {
        // Storage can be forbidden; the choice then holds for this page.
      }
      document.dispatchEvent(new Event('allmende:theme'));
    });
  }
  box.hidden = false;
}
