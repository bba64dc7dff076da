// A phone's menu opens with Enter as its label promises; by itself a checkbox knows Space alone.
"use strict";
document.getElementById("menu-open")?.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.repeat) event.currentTarget.click();
});
