// For whoever goes by keyboard, or listens: the focus is where one would look next.
"use strict";

// A form that came back is read from what is wrong with it: its first field, or why it was refused.
const wrong = document.querySelector(
  "main[data-sent] :is([aria-invalid=true], [role=alert]:not([hidden]))",
);
if (wrong && !document.querySelector("[autofocus]")) {
  if (wrong.matches("[role=alert]")) wrong.tabIndex = -1;
  wrong.focus();
}

// A part of a page that renews itself leaves the focus on what it was on, if that is still there.
const alike = (one) => {
  const link = one.getAttribute("href");
  const same = link === null ? "" : `[href="${CSS.escape(link)}"]`;
  return [...document.querySelectorAll(one.localName + same)];
};
let left = null;
document.addEventListener("htmx:beforeSwap", (event) => {
  const one = document.activeElement;
  left = event.detail.target.contains(one) ? { one, place: alike(one).indexOf(one) } : null;
});
document.addEventListener("htmx:afterSwap", () => {
  if (left && !left.one.isConnected) alike(left.one)[left.place]?.focus({ preventScroll: true });
});
