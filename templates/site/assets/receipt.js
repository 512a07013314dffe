// The receipt of a request: shown once, to be copied, kept as a picture, printed.
(() => {
  const { make, show, due } = mulu.portal;

  function picture(lines) {
    const width = 1080, margin = 80, sans = getComputedStyle(document.body).fontFamily;
    const canvas = make("canvas");
    const pen = canvas.getContext("2d");
    const wrap = (text, font) => {
      pen.font = font;
      const rows = [""];
      for (const letter of text) {
        if (pen.measureText(rows.at(-1) + letter).width > width - 2 * margin) rows.push("");
        rows[rows.length - 1] += letter;
      }
      return rows;
    };
    const placed = [];
    let y = margin;
    for (const [label, value, size] of lines) {
      if (label) placed.push([label, `28px ${sans}`, "#4d5b69", (y += 44)]);
      for (const row of wrap(value, `700 ${size}px ${sans}`)) placed.push([row, `700 ${size}px ${sans}`, "#15202b", (y += size * 1.35)]);
      y += 26;
    }
    canvas.width = width;
    canvas.height = y + margin;
    pen.fillStyle = "#fff";
    pen.fillRect(0, 0, width, canvas.height);
    pen.strokeStyle = "#15202b";
    pen.lineWidth = 3;
    pen.strokeRect(30, 30, width - 60, canvas.height - 60);
    pen.strokeRect(40, 40, width - 80, canvas.height - 80);
    for (const [text, font, ink, at] of placed) {
      pen.font = font;
      pen.fillStyle = ink;
      pen.fillText(text, margin, at);
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
    const facts = [["事项", answer.procedure_title], ["条目", about], ["目前", answer.state_label || answer.state], ["答复期限", due(answer)], ["依据", answer.article]]
      .filter(([, value]) => value);
    const lines = [["", `${site} 受理回执`, 44], ["受理编号", answer.receipt, 52], ["查询码", answer.code, 52], ...facts.map(([label, value]) => [label, value, 34])];
    const text = lines.map(([label, value]) => (label ? `${label}：${value}` : value)).join("\n");
    const said = make("p", { class: "hint", role: "status" });
    const codes = make("dl", { class: "codes", id: "codes" },
      make("div", {}, make("dt", {}, "受理编号"), make("dd", { id: "receipt-number", translate: "no" }, answer.receipt)),
      make("div", {}, make("dt", {}, "查询码"), make("dd", { id: "receipt-code", translate: "no" }, answer.code)));
    const done = (words) => { kept = true; show(said, words); };
    show(section,
      make("h2", { id: "receipt-title" }, "已收件"),
      make("p", { class: "note" }, "查询码只显示这一次。请现在复制、存图或者打印，凭它查询进度。"),
      codes,
      make("dl", { class: "fields" }, ...facts.map(([label, value]) => make("div", {}, make("dt", {}, label), make("dd", { lang: "zh-CN" }, value)))),
      make("p", { class: "actions" },
        make("button", { type: "button", class: "button", onclick: async () => done(await copy(text, codes) ? "已复制" : "已选中，请用浏览器的复制功能") }, "复制"),
        make("button", { type: "button", class: "quiet", onclick: async () => { save(await picture(lines), `${answer.receipt}.png`); done("图片已保存"); } }, "存为图片"),
        make("button", { type: "button", class: "quiet", onclick: () => { kept = true; print(); } }, "打印或存为 PDF"),
        make("a", { class: "button quiet", href: `${mulu.root}ask/status/#${encodeURIComponent(answer.receipt)}` }, "进度查询")),
      said);
    section.focus();
  }

  Object.assign(mulu.portal, { receipt, save });
})();
