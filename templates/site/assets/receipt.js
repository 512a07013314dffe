// The receipt of a request: shown once, to be copied, kept as a picture, printed.
(() => {
  const { make, show, due, day } = mulu.portal;
  const NEVER_FIRST = "，。、；：？！）》」』”’％…—", NEVER_LAST = "（《「『“‘";

  // Lines no wider than `most`, broken as Chinese is: no closing mark begins a line, no opening one ends it, no word of Latin letters
  // or digits is cut unless it is longer than a line.
  function broken(pen, text, most) {
    const rows = [""];
    for (const part of text.match(/[\w.\-/:@#%]+|\s+|[^]/gu) || []) {
      const row = rows.at(-1);
      if (pen.measureText(row + part).width <= most || !row) rows[rows.length - 1] += part;
      else if (NEVER_FIRST.includes(part) || NEVER_LAST.includes(row.at(-1))) {
        const last = [...row].at(-1);
        rows[rows.length - 1] = row.slice(0, -last.length);
        rows.push(last + part);
      } else rows.push(part.trimStart());
    }
    return rows;
  }

  // A slip of paper, black on white whatever the page's theme: `head`, the two codes, the facts, `foot`.
  function picture(head, codes, facts, foot) {
    const width = 1080, margin = 96, inner = width - 2 * margin, column = 190;
    const { fontFamily } = getComputedStyle(document.body), mono = getComputedStyle(document.getElementById("receipt-number")).fontFamily;
    const ink = "#15202b", soft = "#4d5b69";
    const canvas = make("canvas");
    const pen = canvas.getContext("2d");
    const placed = [], rules = [];
    let y = margin + 20;
    const write = (text, x, font, colour, height, most = inner) => {
      pen.font = font;
      for (const row of broken(pen, text, most)) placed.push([row, x, (y += height), font, colour]);
    };
    write(head, margin, `700 46px ${fontFamily}`, ink, 62);
    write("受理回执", margin, `400 34px ${fontFamily}`, soft, 56);
    rules.push((y += 32));
    for (const [label, code] of codes) {
      let size = 56;
      const font = () => `700 ${size}px ${mono}`;
      do { size -= 2; pen.font = font(); } while (pen.measureText(code).width > inner && size > 24); // a number is not broken
      y += 20;
      write(label, margin, `400 28px ${fontFamily}`, soft, 40);
      write(code, margin, font(), ink, size * 1.3);
    }
    rules.push((y += 40));
    y += 16;
    for (const [label, value] of facts) {
      const top = y;
      write(value, margin + column, `400 32px ${fontFamily}`, ink, 50, inner - column);
      placed.push([label, margin, top + 50, `400 28px ${fontFamily}`, soft]);
      y += 8;
    }
    rules.push((y += 32));
    y += 10;
    for (const line of foot) write(line, margin, `400 26px ${fontFamily}`, soft, 42);
    canvas.width = width;
    canvas.height = y + margin;
    pen.fillStyle = "#fff";
    pen.fillRect(0, 0, width, canvas.height);
    pen.strokeStyle = ink;
    for (const [at, thick] of [[36, 4], [46, 1.5]]) {
      pen.lineWidth = thick;
      pen.strokeRect(at, at, width - 2 * at, canvas.height - 2 * at);
    }
    pen.fillStyle = "#d5dbe1";
    for (const at of rules) pen.fillRect(margin, at, inner, 2);
    for (const [text, x, at, font, colour] of placed) {
      pen.font = font;
      pen.fillStyle = colour;
      pen.fillText(text, x, at);
    }
    return new Promise((done) => canvas.toBlob(done, "image/png"));
  }

  function save(blob, name) {
    const link = make("a", { href: URL.createObjectURL(blob), download: name });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  }

  async function copy(text, place) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      getSelection().selectAllChildren(place); // no clipboard over plain http: select it
      return false;
    }
  }

  // answer: the portal's receipt; about: the entry's title or "". The page warns who leaves before the receipt was kept.
  function receipt(section, answer, about) {
    let kept = false;
    addEventListener("beforeunload", (event) => { if (!kept) event.preventDefault(); });
    const site = document.querySelector(".brand-name").textContent;
    const look = new URL(`${mulu.root}ask/status/`, location.href).href;
    const codes = [["受理编号", answer.receipt], ["查询码", answer.code]];
    const facts = [["事项", answer.procedure_title], ["条目", about], ["目前", answer.state_label || answer.state], ["收到日期", day(answer.filed_on)],
      ["答复期限", due(answer)], ["依据", answer.article]].filter(([, value]) => value);
    const foot = ["查询码只显示这一次，遗失的请凭受理编号到主管部门当面查询。", `查询进度：${look}`];
    const text = [`${site} 受理回执`, ...[...codes, ...facts].map(([label, value]) => `${label}：${value}`), ...foot].join("\n");
    const said = make("p", { class: "hint", role: "status" });
    const shown = make("dl", { class: "codes", id: "codes" },
      ...codes.map(([label, value], n) => make("div", {}, make("dt", {}, label), make("dd", { id: n ? "receipt-code" : "receipt-number", translate: "no" }, value))));
    const done = (words) => { kept = true; show(said, words); };
    show(section,
      make("p", { class: "receipt-of", lang: "zh-CN" }, `${site} 受理回执`),
      make("h2", { id: "receipt-title" }, "已收件"),
      answer.repeated ? make("p", { class: "note" }, "这是先前那一次提交的回执，没有重复受理。此后改动的内容没有收下，需要的请在进度查询里补充说明。") : null,
      make("p", { class: "note keep" }, "查询码只显示这一次。请现在复制、存图或者打印，凭它查询进度。"),
      shown,
      make("dl", { class: "fields" }, ...facts.map(([label, value]) => make("div", {}, make("dt", {}, label), make("dd", { lang: "zh-CN" }, value)))),
      make("p", { class: "foot", lang: "zh-CN" }, foot[0], make("br"), foot[1]),
      make("p", { class: "actions" },
        make("button", { type: "button", class: "button", onclick: async () => done(await copy(text, shown) ? "已复制" : "已选中，请用浏览器的复制功能") }, "复制"),
        make("button", { type: "button", class: "quiet", onclick: async () => { save(await picture(site, codes, facts, foot), `${answer.receipt}.png`); done("图片已保存"); } }, "存为图片"),
        make("button", { type: "button", class: "quiet", onclick: () => { kept = true; print(); } }, "打印或存为 PDF"),
        make("a", { class: "button quiet", href: `${mulu.root}ask/status/#${encodeURIComponent(answer.receipt)}` }, "进度查询")),
      said);
    document.body.classList.add("with-receipt");
    section.focus();
  }

  Object.assign(mulu.portal, { receipt, save });
})();
