// Runs before the first paint, so that a dark page never flashes white. The same rule as src/preferences/appearance.ts.
;(function () {
  var preferences = {}
  try {
    preferences = JSON.parse(localStorage.getItem('ovt.preferences') || '{}')
  } catch {
    /* storage is closed: defaults */
  }
  var dark = preferences.theme === 'dark' || (preferences.theme !== 'light' && matchMedia('(prefers-color-scheme: dark)').matches)
  document.documentElement.dataset.theme = dark ? 'dark' : 'light'
  document.documentElement.dataset.density = preferences.density === 'compact' ? 'compact' : 'comfortable'
})()
