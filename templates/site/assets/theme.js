// Runs before the first paint, so that neither a chosen theme nor the Chinese under the English flashes (site.js shows the page when it is translated).
document.documentElement.classList.add("js");
try {
  const chosen = localStorage.getItem("theme");
  if (chosen) document.documentElement.dataset.theme = chosen;
  if ((new URLSearchParams(location.search).get("lang") || localStorage.getItem("language")) === "en") document.documentElement.classList.add("translating");
} catch {
  // storage may be switched off: the system's preference then holds
}
// A link with a query: the list of everything is not shown before its answer (search.css).
if (/[?&](?!lang=)\w+=/.test(location.search)) document.documentElement.classList.add("asked");
// What stands beside on a wide screen is folded up on a narrow one, before it moves what is below.
if (matchMedia("(max-width: 60rem)").matches) {
  const folding = new MutationObserver(() => { for (const box of document.querySelectorAll("details[data-wide][open]")) box.open = false; });
  folding.observe(document.documentElement, { childList: true, subtree: true });
  addEventListener("DOMContentLoaded", () => folding.disconnect());
}
