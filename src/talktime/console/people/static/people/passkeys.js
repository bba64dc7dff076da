/* What a browser can do with passkeys is shown, what it cannot is said. The ceremony is allauth's. */
(function () {
  "use strict";

  function show(which) {
    document.querySelectorAll("[data-passkeys='" + which + "']").forEach(function (each) {
      each.hidden = false;
    });
  }

  document.addEventListener("DOMContentLoaded", function () {
    // A passkey is for a name: an address in digits has none.
    var named = !/^([0-9.]+|\[.*\])$/.test(window.location.hostname);
    show(window.PublicKeyCredential && named ? "able" : "not");
    // Enter in the field of a name is the same as the button.
    document.querySelectorAll("#mfa_webauthn_add").forEach(function (button) {
      button.form.addEventListener("submit", function (event) {
        event.preventDefault();
        button.click();
      });
    });
  });

  document.addEventListener("allauth.error", function (event) {
    event.preventDefault();
    show("failed");
  });
})();
