// Where nothing is found: what stands in the titles and is nearly what was typed. 停车厂 → 停车场; yanglao → 养老.
const MOST = 3, LONGEST = 12, SAME_SOUND = 1000, LONGEST_PINYIN = 36;
const escape = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

// Patterns with one character another, one more, one less, or two the other way round; `at` is the place that is another.
function* patterns(chars) {
  const part = (from, to) => escape(chars.slice(from, to).join(""));
  for (let i = 0; i < chars.length; i++) yield { pattern: part(0, i) + "." + part(i + 1), at: i };
  for (let i = 1; i < chars.length; i++) yield { pattern: part(0, i) + "." + part(i) };
  if (chars.length > 3) for (let i = 0; i < chars.length; i++) yield { pattern: part(0, i) + part(i + 1) };
  for (let i = 1; i < chars.length; i++) yield { pattern: part(0, i - 1) + escape(chars[i] + chars[i - 1]) + part(i + 1) };
}

// Syllables typed in full, as the characters that sound so: yanglao → [养扬…][老劳…]; "" where it is no pinyin.
function spoken(sounds, term) {
  const ways = new Array(term.length + 1);
  ways[term.length] = "";
  for (let at = term.length - 1; at >= 0; at--)
    for (let length = Math.min(6, term.length - at); length > 0 && ways[at] === undefined; length--) {
      const chars = sounds[term.slice(at, at + length)], rest = ways[at + length];
      if (chars && rest !== undefined) ways[at] = `[${escape(chars)}]${rest}`;
    }
  return ways[0] ?? "";
}

// Up to MOST words, the likeliest first: those that sound the same, then those that more titles hold.
export function near(index, term) {
  const chars = [...term], latin = /^[a-z]+$/.test(term), votes = new Map(), soundOf = new Map();
  for (const [syllable, same] of Object.entries(index.sounds)) for (const c of same) soundOf.set(c, syllable);
  const search = (pattern, at) => {
    const expression = new RegExp(pattern, "gu");
    for (const { folded } of index.pieces) for (const [word] of folded.text.matchAll(expression)) {
      const other = at === undefined ? "" : [...word][at];
      if (word === term || (at !== undefined && /[\s\p{P}]/u.test(other))) continue;
      const same = at !== undefined && soundOf.has(other) && soundOf.get(other) === soundOf.get(chars[at]);
      votes.set(word, (votes.get(word) ?? 0) + (same ? SAME_SOUND : 1));
    }
  };
  if (latin && chars.length > 2 && chars.length <= LONGEST_PINYIN) {
    const pattern = spoken(index.sounds, term);
    if (pattern) search(pattern);
  } else if (!latin && chars.length > 2 && chars.length <= LONGEST) for (const { pattern, at } of patterns(chars)) search(pattern, at);
  return [...votes].sort((a, b) => b[1] - a[1]).slice(0, MOST).map(([word]) => word);
}
