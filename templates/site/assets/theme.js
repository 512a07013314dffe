// Runs before the first paint, so that a chosen theme does not flash.
document.documentElement.classList.add("js");
try {
  const chosen = localStorage.getItem("theme");
  if (chosen) document.documentElement.dataset.theme = chosen;
} catch {
  // storage may be switched off: the system's preference then holds
}
