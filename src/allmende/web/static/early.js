// Runs before the page is drawn: what is shown only with script, and the chosen appearance, without a flash.
(function () {
  var root = document.documentElement;
  root.classList.add('js');
  try {
    var theme = localStorage.getItem('theme');
    if (theme === 'light' || theme === 'dark') root.dataset.kernTheme = theme;
  } catch (error) {
    // Storage can be forbidden; the system's appearance is used then.
  }
})();
