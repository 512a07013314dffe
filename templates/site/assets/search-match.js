// What a query finds, and in which order. One term answers each entry with points; an entry must have points from every term.
import { FACETS, fold } from "./search-index.js";

const MOST_VARIANTS = 12, MOST_KEPT = 60;
const WHOLE = 100, START = 60, WITHIN = 40, OTHER_WORD = 39, CODE = 30, CLASS = 15, INITIALS_START = 12, INITIALS = 8, TEXT = 1;

export const termsOf = (query) => [...new Set(fold(query).split(/\s+/).filter(Boolean))];

// The term with each of its words that has others for the same thing replaced by these: 医保药店 → 医疗保险药店, 医保零售药店 …
export function variants(index, term) {
  const found = new Set();
  for (const group of index.synonyms) {
    const word = group.filter((w) => term.includes(w)).sort((a, b) => b.length - a.length)[0];
    if (word) for (const other of group) if (other !== word && !term.includes(other)) found.add(term.replace(word, other));
  }
  return [...found].slice(0, MOST_VARIANTS);
}

export const lookUp = (index, query) => Promise.all(termsOf(query).flatMap((term) => [term, ...variants(index, term)]).map((term) => index.lookUp(term)));

// Points of a term, by place. Kept until more of the index has come: the next keystroke often asks for the same.
const kept = new WeakMap();
function pointsOf(index, term) {
  if (!kept.has(index)) kept.set(index, new Map());
  const store = kept.get(index), state = `${index.loaded} ${index.inText.get(term)?.length}`, known = store.get(term);
  if (known?.state === state) return known.points;
  const points = new Uint8Array(index.total), latin = /^[a-z0-9]{2,}$/.test(term);
  const give = (i, n) => { if (points[i] < n) points[i] = n; };
  for (const { base, folded, code, ...piece } of index.pieces.map((p) => ({ base: p.base, folded: p.folded, code: p.code, initials: latin && p.initials }))) {
    folded.each(term, (n, start, whole) => give(base + n, whole ? WHOLE : start ? START : WITHIN));
    code?.each(term, (n) => give(base + n, CODE));
    if (piece.initials) piece.initials.each(term, (n, start) => give(base + n, start ? INITIALS_START : INITIALS));
  }
  if ([...term].length > 1) for (const f of FACETS) classes(index, f, index.names[f].map((name) => name.includes(term)), CLASS, give);
  if (latin) classes(index, "department", index.facets.department.map(([, , initials]) => initials.includes(term)), INITIALS, give);
  for (const i of index.inText.get(term) ?? []) if (i >= 0) give(i, TEXT);
  store.delete(term);
  store.set(term, { state, points });
  if (store.size > MOST_KEPT) store.delete(store.keys().next().value);
  return points;
}

function classes(index, f, hit, points, give) {
  if (!hit.includes(true)) return;
  const column = index.columns[f], given = f === "format" ? index.combinations.map((one) => one.some((k) => hit[k])) : hit;
  for (let i = 0; i < index.total; i++) if (given[column[i]]) give(i, points);
}

// A title that holds another word for the same thing comes after all that hold the word itself.
function withVariants(index, term) {
  const others = variants(index, term);
  if (!others.length) return pointsOf(index, term);
  const points = pointsOf(index, term).slice();
  for (const other of others.map((word) => pointsOf(index, word)))
    for (let i = 0; i < points.length; i++) if (other[i]) points[i] = Math.max(points[i], 1, Math.min(OTHER_WORD, 0.6 * other[i]));
  return points;
}

// Places from the highest value down; those of equal value stay in the order of the lists.
function ordered(hits, valueOf) {
  const groups = new Map();
  for (const i of hits) {
    const value = valueOf(i), group = groups.get(value);
    if (group) group.push(i); else groups.set(value, [i]);
  }
  return [...groups.keys()].sort((a, b) => b - a).flatMap((value) => groups.get(value));
}

// hits: places in their order; counts: facet → entries per value; terms: what a hit may hold; others: those not typed.
export function find(index, state) {
  const terms = termsOf(state.q), tests = terms.map((term) => withVariants(index, term));
  const wanted = FACETS.filter((f) => state[f]?.length).map((f) => [f, new Set(state[f].map((key) => index.keys[f].get(key)))]); // a value that nobody has finds nothing
  const counts = Object.fromEntries(FACETS.map((f) => [f, new Uint32Array(index.facets[f].length)]));
  const byCombination = new Map();
  const passes = (f, set, i) => { const v = index.columns[f][i]; return f === "format" ? v >= 0 && index.combinations[v].some((k) => set.has(k)) : v >= 0 && set.has(v); };
  const count = (f, i) => {
    const v = index.columns[f][i];
    if (v < 0) return;
    if (f === "format") byCombination.set(v, (byCombination.get(v) ?? 0) + 1); else counts[f][v]++;
  };
  const hits = [], points = new Uint16Array(index.total); // by place
  for (const { base, lines } of [...index.pieces].sort((a, b) => a.base - b.base)) for (let i = base; i < base + lines; i++) {
    let sum = 0, good = true;
    for (const test of tests) { const n = test[i]; if (!n) { good = false; break; } sum += n; }
    if (!good) continue;
    // A facet counts what its values would give beside the other facets, so one miss is allowed: in that facet itself.
    let missed = "", misses = 0;
    for (const [f, set] of wanted) if (!passes(f, set, i)) { missed = f; if (++misses > 1) break; }
    if (misses === 1) count(missed, i);
    if (misses) continue;
    for (const f of FACETS) count(f, i);
    hits.push(i);
    points[i] = sum;
  }
  for (const [v, n] of byCombination) for (const k of index.combinations[v]) counts.format[k] += n;
  const others = terms.flatMap((term) => variants(index, term));
  const sorted = state.sort === "updated" ? ordered(hits, (i) => index.date[i]) : state.sort === "title" || !terms.length ? hits : ordered(hits, (i) => points[i]);
  // The words for which an entry was found by its abstract or items alone
  const textTerms = (i) => terms.flatMap((term, n) => (tests[n][i] === TEXT ? [term, ...variants(index, term)] : []));
  return { hits: sorted, counts, terms: [...terms, ...others], others, textTerms };
}

// ---- hits in abstract and items

export const holds = (text, term) => text.lines.some((line) => fold(line).includes(term));

// Entries that are found by the pairs of a term, but do not hold the term, are taken out where the texts of all can be had
// from a few files: among thousands of hits one too many harms nobody, among three it does. True if something was taken out.
const MOST_FILES = 30;
export async function verify(index, found) {
  const doubtful = found.terms.filter((term) => [...term].length > 2 && index.inText.get(term)?.length);
  let taken = false;
  for (const term of doubtful) {
    const points = pointsOf(index, term), places = index.inText.get(term).filter((i) => points[i] === TEXT);
    if (!places.length || new Set(places.map((i) => index.textFileOf(i))).size > MOST_FILES) continue;
    const texts = await Promise.all(places.map((i) => index.textOf(i)));
    const wrong = places.filter((_, n) => !texts[n].cut && !holds(texts[n], term));
    if (wrong.length) { index.notIn(term, wrong); taken = true; }
  }
  return taken;
}
