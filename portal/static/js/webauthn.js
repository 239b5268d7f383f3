// Shows what works with script only, and says in words when the browser or the key refuses.
document.addEventListener('DOMContentLoaded', () => {
  for (const part of document.querySelectorAll('[data-needs-script]')) part.hidden = false
})
document.addEventListener('allauth.error', (event) => {
  event.preventDefault()
  document.getElementById('webauthn_failure').hidden = false
})
