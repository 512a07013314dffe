// The shell: theme, language, copying. Everything can be read without it.
(() => {
  const page = document.documentElement;
  const root = page.dataset.root;
  const store = {
    get(key) { try { return localStorage.getItem(key); } catch { return null; } },
    set(key, value) { try { localStorage.setItem(key, value); } catch { /* storage is off: the choice lasts for this page */ } },
  };
  const CJK = /[\u3400-\u9fff]/;
  let english = null;

  // A text is looked up with its numbers taken out ("共 1,234 条" → "共 {} 条"), then they are put back.
  function translate(text) {
    if (!english) return text;
    const numbers = [];
    const key = text.trim().replace(/\d[\d,]*/g, (n) => (numbers.push(n), "{}"));
    const found = english.get(key);
    return found === undefined ? text : text.replace(text.trim(), () => found.replace(/\{\}/g, () => numbers.shift()));
  }

  // Only the shell is translated. What departments wrote stays as it is and is marked as Chinese for screen readers.
  function translateAll(scope) {
    if (!english) return;
    for (const element of scope.querySelectorAll("[aria-label],[data-label],[placeholder]"))
      for (const name of ["aria-label", "data-label", "placeholder"])
        if (element.hasAttribute(name)) element.setAttribute(name, translate(element.getAttribute(name)));
    const texts = document.createTreeWalker(scope, NodeFilter.SHOW_TEXT);
    const found = [];
    while (texts.nextNode()) if (CJK.test(texts.currentNode.data)) found.push(texts.currentNode);
    for (const text of found) {
      const parent = text.parentElement;
      if (!parent || parent.closest("script, bdi, .prose")) continue;
      const said = translate(text.data);
      if (said !== text.data) {
        text.data = said;
        if (parent.lang === "zh-CN") parent.removeAttribute("lang");
      } else if (!parent.closest("[lang=zh-CN]")) parent.lang = "zh-CN";
    }
    for (const prose of scope.querySelectorAll(".prose")) prose.lang = "zh-CN";
  }

  window.mulu = { root, translate, translateAll, ready: Promise.resolve() };

  const asked = new URLSearchParams(location.search).get("lang");
  if (asked) store.set("language", asked);
  const language = asked || store.get("language") || "zh";
  const languageButton = document.getElementById("language");
  if (language === "en")
    window.mulu.ready = fetch(root + "assets/en.json").then((r) => r.json()).then((words) => {
      english = new Map(Object.entries(words)); // an object would know "constructor" as well
      page.lang = "en";
      translateAll(document.body);
      languageButton.textContent = "中文";
      languageButton.lang = "zh-CN";
      languageButton.setAttribute("aria-label", "切换为中文");
    }).catch(() => {}).finally(() => page.classList.remove("translating"));
  languageButton.onclick = () => {
    store.set("language", language === "en" ? "zh" : "en");
    const url = new URL(location.href);
    url.searchParams.delete("lang");
    location.replace(url);
    if (url.href === location.href) location.reload();
  };

  const themeButton = document.getElementById("theme");
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (page.dataset.theme || (dark.matches ? "dark" : "light")) === "dark";
  const nameTheme = () => { themeButton.textContent = translate(isDark() ? "浅色" : "深色"); };
  themeButton.onclick = () => {
    page.dataset.theme = isDark() ? "light" : "dark";
    store.set("theme", page.dataset.theme);
    nameTheme();
  };
  dark.addEventListener("change", nameTheme);
  nameTheme();
  window.mulu.ready.then(nameTheme);
  document.querySelector(".tools").hidden = false;

  // A citation names the day on which it is cited
  const now = new Date(), two = (n) => String(n).padStart(2, "0");
  for (const day of document.querySelectorAll("[data-today]")) day.textContent = `[${now.getFullYear()}-${two(now.getMonth() + 1)}-${two(now.getDate())}]`;

  for (const button of document.querySelectorAll("[data-copy]"))
    button.onclick = async () => {
      const text = document.getElementById(button.dataset.copy).textContent;
      try {
        await navigator.clipboard.writeText(text);
      } catch {
        getSelection().selectAllChildren(document.getElementById(button.dataset.copy)); // no clipboard over plain http: select it
        return;
      }
      button.textContent = translate("已复制");
    };

  // What was read and searched once can be read without a network (sw.js); browsers allow it over https and on this machine only
  if (navigator.serviceWorker && isSecureContext && location.protocol !== "file:")
    addEventListener("load", () => navigator.serviceWorker.register(root + "sw.js", { updateViaCache: "none" }).catch(() => {}));

  // "/" goes to the search field, as on other registers
  document.addEventListener("keydown", (event) => {
    const field = document.getElementById("q");
    if (event.key === "/" && field && !/^(INPUT|TEXTAREA|SELECT)$/.test(document.activeElement.tagName) && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      field.focus();
    }
  });
})();
