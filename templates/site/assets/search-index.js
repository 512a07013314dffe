// The search index in the browser: fetched in pieces when somebody begins to search, usable from the first piece on.
// Its form is told in mulu_site/search.py. Entries are known by their place in the lists, the second stage by its own numbers.
const { root } = window.mulu;
export const FACETS = ["open", "department", "theme", "kind", "share", "frequency", "format", "api"];
const LANES = 3;
export const fold = (text) => text.normalize("NFKC").toLowerCase();

export class Gone extends Error {} // a piece that the head names is not there: the site has been built anew

async function get(path, options) {
  const answer = await fetch(root + path, options);
  if (answer.status === 404 || answer.status === 410) throw new Gone(path);
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
  return answer.json();
}

// Where each line of a text begins, and the end of the last as if another followed.
function lineStarts(text, lines) {
  const starts = new Uint32Array(lines + 1);
  for (let n = 1, at = 0; n < lines; n++) starts[n] = at = text.indexOf("\n", at) + 1;
  starts[lines] = text.length + 1;
  return starts;
}

// Some lines as one text, which is searched as a whole: a hundred times as fast as line by line.
class Lines {
  constructor(text, lines) { this.text = text; this.lines = lines; this.starts = lineStarts(text, lines); }
  line(n) { return this.text.slice(this.starts[n], this.starts[n + 1] - 1); }
  // Calls back with each line that holds the term: (line, whether it begins with it, whether it is it)
  each(term, call) {
    const { text, starts } = this;
    for (let at = text.indexOf(term), n = 0; at >= 0; at = text.indexOf(term, starts[n])) {
      while (starts[n + 1] <= at) n++;
      call(n, at === starts[n], at === starts[n] && at + term.length === starts[n + 1] - 1);
      if (++n >= this.lines) break;
    }
  }
}

class Piece {
  constructor(raw, base, lines, index) {
    Object.assign(this, { base, lines, title: new Lines(raw.title, lines), page: new Lines(raw.page, lines), given: raw.initials, index });
    this.folded = new Lines(fold(raw.title), lines); // the piece at a time: many times as fast as a title at a time
    this.code = raw.code ? new Lines(fold(raw.code), lines) : null;
  }
  // Initials are made of the characters when they are first asked for; those that sound otherwise in their word are given.
  get initials() {
    const letters = this.index.letters, { text, starts } = this.folded, made = [];
    for (let n = 0; n < this.lines; n++) {
      let word = this.given[n];
      if (word === undefined) {
        word = "";
        for (let i = starts[n]; i < starts[n + 1] - 1; i++) { const letter = letters[text.charCodeAt(i)]; if (letter) word += String.fromCharCode(letter); }
      }
      made.push(word);
    }
    const found = new Lines(made.join("\n"), this.lines);
    Object.defineProperty(this, "initials", { value: found });
    return found;
  }
}

export class Index {
  // `onPiece` is called after each piece that has come.
  static async load(onPiece = () => {}) {
    try {
      return await new Index(await get("search/index.json")).fill(onPiece);
    } catch (error) {
      if (!(error instanceof Gone)) throw error;
      return new Index(await get("search/index.json", { cache: "reload" })).fill(onPiece); // once: what is gone twice is an error
    }
  }

  constructor(head) {
    Object.assign(this, head, { pieces: [], loaded: 0, shards: new Map(), texts: new Map(), inText: new Map(), textFiles: head.texts, objection: new Set(), api: new Set() });
    this.columns = Object.fromEntries(FACETS.map((f) => [f, new Int16Array(head.total).fill(-1)]));
    this.date = new Int32Array(head.total);
    this.number = new Int32Array(head.total);
    this.places = new Int32Array(head.total).fill(-1); // number → place
    this.bases = head.lengths.reduce((all, n) => [...all, all.at(-1) + n], [0]);
    this.keys = Object.fromEntries(FACETS.map((f) => [f, new Map(head.facets[f].map(([key], n) => [key, n]))]));
    this.names = Object.fromEntries(FACETS.map((f) => [f, head.facets[f].map(([, label]) => fold(label))]));
    this.combinations = []; // of formats: an entry may have several
    this.letters = new Uint8Array(65536);
    for (const c of "abcdefghijklmnopqrstuvwxyz0123456789") this.letters[c.charCodeAt(0)] = c.charCodeAt(0);
    for (const [syllable, chars] of Object.entries(head.sounds)) for (let i = 0; i < chars.length; i++) this.letters[chars.charCodeAt(i)] = syllable.charCodeAt(0);
  }

  get complete() { return this.loaded === this.total; }

  // Few at a time, so that on a slow line the first is there soon and is not one of many that share it.
  async fill(onPiece) {
    const rest = this.rows.entries();
    const lane = async () => { for (const [n, path] of rest) { this.take(await get(path), n); onPiece(this); } };
    await Promise.all(Array.from({ length: LANES }, lane));
    return this;
  }

  take(raw, n) {
    const base = this.bases[n], lines = this.lengths[n];
    for (const f of FACETS) if (f !== "api") {
      const known = raw[f].keys.map((key) => (f === "format" ? this.combination(key) : (this.keys[f].get(key) ?? -1)));
      raw[f].at.forEach((at, i) => { this.columns[f][base + i] = known[at]; });
    }
    for (const i of raw.api) this.columns.api[base + i] = 0;
    for (const i of raw.objection) this.objection.add(base + i);
    this.date.set(raw.date, base);
    this.number.set(raw.number, base);
    raw.number.forEach((number, i) => { this.places[number] = base + i; });
    this.pieces.push(new Piece(raw, base, lines, this));
    this.loaded += lines;
  }

  combination(formats) {
    const found = formats.map((f) => this.keys.format.get(f)).filter((n) => n !== undefined), text = found.join();
    const known = this.combinations.findIndex((one) => one.join() === text);
    return known < 0 ? this.combinations.push(found) - 1 : known;
  }

  // The values of a facet that an entry has
  values(f, i) {
    const value = this.columns[f][i];
    return value < 0 ? [] : f === "format" ? this.combinations[value] : [value];
  }

  pieceOf(i) { return this.pieces.find((p) => p.base <= i && i < p.base + p.lines); }
  shown(i) {
    const piece = this.pieceOf(i), n = i - piece.base, day = String(this.date[i]);
    return { title: piece.title.line(n), folded: piece.folded.line(n), page: piece.page.line(n), date: this.date[i] ? `${day.slice(0, 4)}-${day.slice(4, 6)}-${day.slice(6)}` : "" };
  }

  // ---- second stage

  once(store, key, path) {
    if (!store.has(key)) {
      const fetched = get(path);
      fetched.catch(() => store.delete(key));
      store.set(key, fetched);
    }
    return store.get(key);
  }

  shardOf(pair) {
    let value = 0;
    for (let i = 0; i < pair.length; i++) value = (value * 31 + pair.charCodeAt(i)) % 65521;
    return value % this.words.length;
  }

  // Fetches what tells which entries hold the term in their abstract or items: `inText` then has it, as places.
  async lookUp(term) {
    const chars = [...term];
    if (chars.length < 2 || this.inText.has(term)) return;
    const threes = [...term.matchAll(/(?=([0-9]{3}))/g)].map(([, digits]) => digits); // as search.pairs_of
    const pairs = [...new Set([...chars.slice(1).map((c, i) => chars[i] + c), ...threes])];
    const lists = await Promise.all(pairs.map(async (pair) => {
      const n = this.shardOf(pair);
      return (await this.once(this.shards, n, this.words[n]))[pair];
    }));
    let held = null;
    for (const list of lists) {
      const found = new Set();
      let at = 0;
      if (list) for (const step of list.split(" ")) { at += parseInt(step, 36); if (!held || held.has(at)) found.add(at); }
      held = found;
    }
    this.inText.set(term, [...held].map((number) => this.places[number]));
  }

  // An entry's abstract and items as lines. One that is long was cut (search.LONGEST) and says so.
  async textOf(i) {
    const number = this.number[i], n = Math.floor(number / this.texts_a_file);
    const lines = (await this.once(this.texts, n, this.textFiles[n]))[number % this.texts_a_file].split("\n");
    const cut = lines.length > 1 && lines.at(-1) === "…";
    return { lines: cut ? lines.slice(0, -1) : lines, cut };
  }
  textFileOf(i) { return Math.floor(this.number[i] / this.texts_a_file); }

  // A hit that was one of pairs only is none
  notIn(term, places) {
    const none = new Set(places);
    this.inText.set(term, this.inText.get(term).filter((i) => !none.has(i)));
  }
}
